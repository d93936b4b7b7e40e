// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::system {

/// Keeps this process's memory, in which secrets are, from core dumps and from other programs of
/// the same user (ptrace, /proc). Programs that it starts leave no core dump either. Does nothing
/// under sanitizers, whose leak check is such a program.
void HideMemory();

}  // namespace cloudflaredump::system
