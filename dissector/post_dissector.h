// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::dissector {

/// Registers the protocol `cloudflare` with Wireshark: fields, findings, statistics, preferences.
void RegisterProtocol();

/// Makes it a post-dissector: called for each packet after all other protocols.
void RegisterHandoff();

/// Forgets the interfaces of the open file. Wireshark calls it when a file is opened, closed or
/// dissected anew.
void ForgetFile();

}  // namespace cloudflaredump::dissector
