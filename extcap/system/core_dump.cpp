// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/core_dump.h"

#include <sys/resource.h>

#include "common/platform.h"
#if CLOUDFLAREDUMP_HAVE_PRCTL
#include <sys/prctl.h>
#endif

namespace cloudflaredump::system {

void HideMemory() {
#ifndef __SANITIZE_ADDRESS__
  constexpr rlimit kNone = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &kNone);
#if CLOUDFLAREDUMP_HAVE_PRCTL
  // A core dump that is piped to a program knows no limit of size.
  prctl(PR_SET_DUMPABLE, 0);
#endif
#endif
}

}  // namespace cloudflaredump::system
