// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::frontend {

/// Answers Wireshark's check of the capture filter, which comes at every key press, within two
/// seconds: prints nothing if `filter` is good, else the reason in one line
/// (capture_filter_syntax_worker.cpp takes any output for "invalid"). Looks no names up. Returns
/// whether it is good.
bool PrintFilterVerdict(const std::string& filter);

}  // namespace cloudflaredump::frontend
