// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/result.h"

namespace cloudflaredump::system {

/// A regular file as it was read.
struct FileContent {
  std::string bytes;
  unsigned mode = 0;  ///< st_mode
  uid_t owner = 0;
};

/// Reads the regular file `path`, at most 1 MiB; nothing if it does not exist. Never waits: a FIFO
/// or a device is an Error. `what` is what errors call it, such as "configuration file".
Result<std::optional<FileContent>> ReadRegularFile(const std::string& what,
                                                   const std::string& path);

/// An Error if another user could have written the file: it belongs to neither us nor root, or its
/// mode lets group or others write.
Result<void> CheckTrusted(const std::string& what, const std::string& path, uid_t owner,
                          unsigned mode);

/// Opens the regular file `path` for appending, created with mode 0600; an existing one gets that
/// mode. A symbolic link, a FIFO, a device and a file that fails CheckTrusted are Errors, so that
/// nobody can redirect a log. The caller closes the descriptor.
Result<int> OpenPrivateForAppend(const std::string& what, const std::string& path);

/// Whether group or others may read a file of `mode` (st_mode).
bool OthersMayRead(unsigned mode);

/// Replaces `path` with a file of mode 0600 that holds `content`: writes a temporary file beside it
/// and renames it, so that the old or the new content is there, never half of one. Creates the
/// folder (0700) if it is missing.
Result<void> ReplacePrivateFile(const std::string& path, const std::string& content);

}  // namespace cloudflaredump::system
