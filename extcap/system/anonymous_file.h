// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/result.h"

namespace cloudflaredump::system {

/// How many bytes are left where anonymous files are made; the largest number if nobody knows.
std::uint64_t FreeBytesForTemporaryFiles();

/// A temporary file without a name, for its owner alone: gone with the object, however the process
/// ends, and inherited by no program that is started. Errors about room or rights name TMPDIR.
class AnonymousFile {
 public:
  /// Makes one in `folder`; if that is empty, in $TMPDIR, else in /var/tmp, which is on a disk
  /// where /tmp may be in memory.
  static Result<AnonymousFile> Make(std::string folder = {});

  AnonymousFile(AnonymousFile&& other) noexcept;
  AnonymousFile& operator=(AnonymousFile&& other) noexcept;
  ~AnonymousFile();

  /// The descriptor, which stays the object's own.
  int fd() const { return fd_; }

  /// Writes all of `bytes`, so many bytes behind the file's beginning, past its end as well. Adds
  /// to
  /// `*written` how many were, of which there may be some with an Error, too.
  Result<void> WriteAt(std::uint64_t offset, std::span<const std::byte> bytes,
                       std::uint64_t* written = nullptr);

  /// Reads from so many bytes behind the file's beginning until `to` is full or the file ends: how
  /// many bytes that are.
  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  AnonymousFile(int fd, std::string folder) : fd_(fd), folder_(std::move(folder)) {}

  int fd_ = -1;
  std::string folder_;
};

}  // namespace cloudflaredump::system
