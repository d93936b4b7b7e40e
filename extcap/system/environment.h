// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

namespace cloudflaredump::system {

/// Looks up an environment variable; null if it is not set. Tests pass a table.
using Environment = std::function<const char*(const char*)>;

/// The trimmed value of a variable; empty if it is not set.
std::string TrimmedValue(const Environment& environment, const char* name);

/// The user's home folder: HOME, else what the system knows of the user.
std::string HomeFolder(const Environment& environment);

/// The environment of this process. Values are trimmed of the blanks and line ends that copying
/// leaves behind. The text is good until the variable is read again.
const char* ProcessEnvironment(const char* name);

}  // namespace cloudflaredump::system
