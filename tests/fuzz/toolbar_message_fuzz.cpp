// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whatever comes through the control pipe: the first byte says in how large pieces. The messages
// are the same in whatever pieces they come, never more than one is kept back, and each one written
// again is read as it was.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/capture/toolbar_message.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

/// Reads as ToolbarReporter does, `step` bytes at a time.
std::vector<ToolbarMessage> ReadAll(std::string_view stream, std::size_t step) {
  std::vector<ToolbarMessage> messages;
  std::string kept;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    kept += stream.substr(at, step);
    for (;;) {
      const ToolbarRead read = ReadToolbarMessage(kept);
      Check(read.used <= kept.size() && (!read.message || read.used > 0));
      kept.erase(0, read.used);
      if (!read.message) break;
      messages.push_back(*read.message);
    }
    Check(kept.size() < 4 + 2 + kLongestPayload);
  }
  return messages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<ToolbarMessage> messages = ReadAll(stream, data[0] + std::size_t{1});
  Check(messages == ReadAll(stream, stream.size() + 1));
  for (const ToolbarMessage& message : messages) {
    const std::string written = WriteToolbarMessage(message);
    const ToolbarRead read = ReadToolbarMessage(written);
    Check(read.message == message && read.used == written.size());
  }
  return 0;
}
