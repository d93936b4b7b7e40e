// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::frontend {

/// Wireshark's check of the capture filter, at every keystroke: prints nothing if `filter` is good,
/// else the reason in one line (capture_filter_syntax_worker.cpp takes any output for "invalid").
void PrintFilterVerdict(const std::string& filter);

}  // namespace cloudflaredump::frontend
