// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"

namespace cloudflaredump::frontend {

/// Prints the options of `interface` for Wireshark's dialog (--extcap-config). The placeholder is
/// the effective value from environment, configuration file or built-in default; without one, what
/// that means or what to type.
///
/// Uses only argument types that 4.0 knows: an unknown type makes it print into its caller's
/// output. Text fields have no {default=}: tshark would pass it as if the user had typed it,
/// overriding the configuration file. Selectors have one, as Wireshark passes only those that were
/// changed.
void PrintDialog(const config::CaptureInterface& interface, const config::Settings& settings);

}  // namespace cloudflaredump::frontend
