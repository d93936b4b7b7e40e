// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::system {

/// Returns the absolute path of this program, symbolic links resolved; empty if unknown. `called`
/// is argv[0], used only where the system does not tell.
std::string ExecutablePath(const char* called);

}  // namespace cloudflaredump::system
