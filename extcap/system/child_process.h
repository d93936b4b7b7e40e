// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace cloudflaredump::system {

/// Ends this process, just forked by `parent`, when `parent` has ended in any way; at once if it
/// already has. Where the kernel offers nothing for this, it takes up to a second, and SIGALRM.
void EndWithParent(pid_t parent);

/// Limits the address space of this process to what it has now and `bytes` more; to `bytes` in all
/// where the system does not tell what it has.
void LimitMemory(std::uint64_t bytes);

}  // namespace cloudflaredump::system
