// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/file_bytes.h"
#include "extcap/system/anonymous_file.h"

namespace cloudflaredump::pcap {

/// Keeps files of a capture from their arrival to the merge: in memory up to a limit over all of
/// them, the others side by side in one temporary file without a name. One descriptor in all, one
/// thread. Must outlive the FileBytes that it hands out.
class FileStore {
 public:
  static constexpr std::size_t kMemory = std::size_t{24} << 20;
  /// Bytes that a file on disk gathers before they are written: libcurl hands over 16 KiB at most.
  static constexpr std::size_t kWrite = std::size_t{256} << 10;

  explicit FileStore(std::size_t memory = kMemory) : memory_left_(memory) {}

  /// A file while it arrives.
  class Arrival {
   public:
    /// Appends the next bytes. An Error if they are more than was said, or if the disk is full;
    /// what was written before stays.
    Result<void> Append(std::span<const std::byte> bytes);
    /// Forgets all bytes: the file arrives again.
    void Restart();
    std::uint64_t size() const { return size_ + gathered_.size(); }
    /// The file as far as it has arrived; with a loss if its last bytes could not be written.
    std::unique_ptr<FileBytes> Finish() &&;

   private:
    friend class FileStore;
    Arrival(FileStore& store, std::uint64_t most) : store_(&store), most_(most) {}

    Result<void> Write();

    FileStore* store_;
    std::unique_ptr<std::byte[]> memory_;  ///< null: the file is on disk
    std::uint64_t place_ = 0;              ///< of its first byte, on disk
    std::uint64_t most_;
    std::uint64_t size_ = 0;           ///< in memory, or written
    std::vector<std::byte> gathered_;  ///< to be written next
  };

  /// Makes room for a file of at most `most` bytes.
  Result<Arrival> Begin(std::uint64_t most);

 private:
  std::size_t memory_left_;
  std::optional<system::AnonymousFile> disk_;
  std::uint64_t disk_size_ = 0;
};

}  // namespace cloudflaredump::pcap
