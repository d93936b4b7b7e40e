// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace cloudflaredump::system {

/// For a process just forked by `parent`: ends it when that one has ended, however that was; at
/// once if it already has. Where the kernel offers nothing for it, that is noticed within a second,
/// by a timer that takes SIGALRM for itself.
void EndWithParent(pid_t parent);

/// Limits this process to so many bytes of address space besides what it has now; where that is not
/// known, altogether.
void LimitMemory(std::uint64_t bytes);

}  // namespace cloudflaredump::system
