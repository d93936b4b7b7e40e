// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::frontend {

/// Replaces this process with the tool, with the same pid and argv except for secrets
/// (SetSecretsAside): `--capture` and `--extcap-reload-option` need the network, which this program
/// must not load. Looks for the tool in the build tree, where it was installed relative to this
/// program, and on PATH. Returns only if it is not found: the exit status, after one line on
/// stderr. `fifo` and `control_in` are the pipes of a capture (empty for a reload); they are opened
/// even then, or Wireshark 4.0, and the window of every version, would wait forever.
int HandOver(int argc, char** argv, const std::string& fifo, const std::string& control_in);

}  // namespace cloudflaredump::frontend
