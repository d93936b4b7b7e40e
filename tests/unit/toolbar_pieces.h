// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/capture/toolbar_message.h"

namespace cloudflaredump {

/// Reads a whole stream as ToolbarReporter does, `step` bytes at a time. `check` is called with
/// whether each promise of ReadToolbarMessage holds.
template <class Check>
std::vector<capture::ToolbarMessage> ReadInPieces(std::string_view stream, std::size_t step,
                                                  const Check& check) {
  std::vector<capture::ToolbarMessage> messages;
  std::string kept;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    kept += stream.substr(at, step);
    for (;;) {
      const capture::ToolbarRead read = capture::ReadToolbarMessage(kept);
      check(read.used <= kept.size() && (!read.message || read.used > 0));
      kept.erase(0, read.used);
      if (!read.message) break;
      messages.push_back(*read.message);
    }
    check(kept.size() < 4 + 2 + capture::kLongestPayload);
  }
  return messages;
}

}  // namespace cloudflaredump
