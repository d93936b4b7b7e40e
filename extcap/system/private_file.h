// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "common/result.h"

namespace cloudflaredump::system {

/// Opens `path` for appending, made 0600 if it is new; a symbolic link in its last component is not
/// followed, so that nobody can lead a log into another file. -1 and errno on failure.
int OpenPrivateForAppend(const std::string& path);

/// Whether group or others may read the open file's mode bits `mode` (st_mode).
bool OthersMayRead(unsigned mode);

/// Replaces `path` by a file of 0600 with `content`, by a temporary file beside it and rename: the
/// old or the new content is there, never half of one. Makes the folder (0700) if it is missing.
Result<void> ReplacePrivateFile(const std::string& path, const std::string& content);

}  // namespace cloudflaredump::system
