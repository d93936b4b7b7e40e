// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace cloudflaredump {

/// `text` as it stands in a roff source: backslashes and hyphens escaped, no line begins with a
/// control character.
std::string Roff(std::string_view text);

/// The man page's options of the dialog and the command line: a subsection for each tab, an entry
/// for each option with its default, range, choices, variables and the interfaces that take it.
std::string OptionSections();

/// The settings that are no option of any interface: configuration file and environment only.
std::string FileSettings();

/// The variables that stand for options.
std::string OptionVariables();

}  // namespace cloudflaredump
