// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/stat.h>

#include "common/platform.h"

namespace cloudflaredump::system {

/// Returns when the file was last written. macOS has another name for it than POSIX.
inline timespec ModifiedAt(const struct stat& file) {
#if CLOUDFLAREDUMP_HAVE_MTIMESPEC
  return file.st_mtimespec;
#else
  return file.st_mtim;
#endif
}

}  // namespace cloudflaredump::system
