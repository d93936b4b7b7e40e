// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::system {

/// The absolute path of the program that runs, symbolic links resolved; empty if it is not known.
/// `called` is argv[0], which is believed only where the system does not tell.
std::string ExecutablePath(const char* called);

}  // namespace cloudflaredump::system
