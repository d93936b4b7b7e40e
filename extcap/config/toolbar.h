// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace cloudflaredump::config {

/// The controls of Wireshark's interface toolbar. Their values are the control numbers that the
/// front end declares and that messages carry.
enum class ToolbarControl : std::uint8_t {
  kStatus = 0,  ///< text: what the capture is doing
  kFinish = 1,  ///< button: stop the capture at Cloudflare, keep this one open until it is complete
  kLog = 2,     ///< button: Wireshark's window with the lines that we send
  kHelp = 3,    ///< button: Wireshark opens the help address of the extcap
};

/// What Wireshark opens on Help, in the toolbar and in the dialog: Cloudflare's page about packet
/// captures. The toolbar does not open file: URLs (interface_toolbar.cpp).
inline constexpr const char* kHelpAddress =
    "https://developers.cloudflare.com/cloudflare-network-firewall/packet-captures/";

}  // namespace cloudflaredump::config
