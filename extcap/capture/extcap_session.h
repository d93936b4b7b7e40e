// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::capture {

/// What Wireshark and tshark run to capture:
/// `--capture --extcap-interface IF --fifo PATH [--extcap-capture-filter F] [--extcap-control-in P
/// --extcap-control-out P] options…`.
///
/// Wireshark's contract (extcap.c, tried on 4.0, 4.4 and 4.6): the FIFO is opened on every path, or
/// 4.0 waits forever; stderr is shown to the user when the capture ends, so it is empty on success
/// and one line on failure; tshark fails only if the stream has not begun by then.
/// Returns the process's exit status, which Wireshark ignores.
int RunExtcapCapture(int argc, char** argv);

}  // namespace cloudflaredump::capture
