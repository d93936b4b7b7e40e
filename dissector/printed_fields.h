// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace cloudflaredump::dissector {

/// Whether a program started with these words prints nothing of a packet but fields that they name,
/// none of which is ours: `tshark -T fields -e frame.number`. False if in doubt. `is_field` tells
/// `cloudflare.colo` from a file called cloudflare.pcapng.
///
/// Wireshark 4.0 makes a visible tree for such a run, and of a visible tree
/// proto_field_is_referenced says that every field is asked for; from 4.2 on the tree is not
/// visible, and the answer is right.
bool PrintsOtherFieldsOnly(std::span<const std::string> words,
                           const std::function<bool(const std::string& name)>& is_field);

/// The words this process was started with, from /proc; none where there is no such file.
std::vector<std::string> CommandLine();

}  // namespace cloudflaredump::dissector
