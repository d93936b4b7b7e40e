// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::capture {

/// What Wireshark runs when the user presses the reload button of a list in the dialog:
/// `--extcap-config --extcap-interface IF --extcap-reload-option NAME options…`. Prints the list's
/// values, nothing else. Wireshark's window stands still meanwhile, so the answer is there within
/// 3 s whatever the network does; what cannot be had is one row that says why.
/// Returns the process's exit status; Wireshark drops the answer of a call that fails, so it is 0.
int RunExtcapReload(int argc, char** argv);

}  // namespace cloudflaredump::capture
