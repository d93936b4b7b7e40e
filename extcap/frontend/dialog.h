// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"

namespace cloudflaredump::frontend {

/// Prints the options of `interface` as Wireshark's dialog wants them (--extcap-config), each with
/// its effective value from environment, configuration file or built-in default as the placeholder;
/// where there is none, what that means or what to type.
///
/// Only argument types that 4.0 knows: an unknown type makes it print into its caller's output.
/// Texts have no {default=}: tshark would pass it as if the user had typed it, over the
/// configuration file. Selectors do, for Wireshark passes none of theirs unless it was changed.
void PrintDialog(const config::CaptureInterface& interface, const config::Settings& settings);

}  // namespace cloudflaredump::frontend
