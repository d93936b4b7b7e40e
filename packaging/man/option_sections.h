// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace cloudflaredump {

/// Escapes `text` for roff: backslashes, hyphens, and a control character at the start of a line.
std::string Roff(std::string_view text);

/// Formats the man page's options: a subsection for each tab of the dialog, an entry for each
/// option with its default, range, choices, variables and interfaces. What only the dialog needs
/// (kPick) is left out.
std::string OptionSections();

/// Formats the settings that no interface's dialog has.
std::string FileSettings();

/// Formats the environment variables that set options.
std::string OptionVariables();

}  // namespace cloudflaredump
