// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/result.h"

namespace cloudflaredump::pcap {

/// The bytes of one file of a capture, all of which are there: in memory, in a FileStore, or on a
/// disk (DiskFiles). One thread.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  virtual ~FileBytes() = default;

  virtual std::uint64_t size() const = 0;

  /// All of the bytes, if they lie in memory; valid as long as this object. Otherwise null.
  virtual const std::byte* data() const { return nullptr; }

  /// Fills `to` with the bytes from `offset` on, all of which must be within size().
  virtual Result<void> Read(std::uint64_t offset, std::span<std::byte> to) = 0;

  /// Why the file is not whole although nothing in its bytes says so: a transfer that was lost, a
  /// file that cannot be opened. Null if it is whole.
  const Error* loss() const { return loss_ ? &*loss_ : nullptr; }
  void SetLoss(Error loss) { loss_ = std::move(loss); }

 private:
  std::optional<Error> loss_;
};

/// A file in memory of its own.
class MemoryFile final : public FileBytes {
 public:
  explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  const std::byte* data() const override {
    return reinterpret_cast<const std::byte*>(bytes_.data());
  }
  Result<void> Read(std::uint64_t offset, std::span<std::byte> to) override;

 private:
  const std::string bytes_;
};

}  // namespace cloudflaredump::pcap
