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

#include "tests/unit/toolbar_pieces.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<capture::ToolbarMessage> messages =
      ReadInPieces(stream, data[0] + std::size_t{1}, Check);
  Check(messages == ReadInPieces(stream, stream.size() + 1, Check));
  for (const capture::ToolbarMessage& message : messages) {
    const std::string written = capture::WriteToolbarMessage(message);
    const capture::ToolbarRead read = capture::ReadToolbarMessage(written);
    Check(read.message == message && read.used == written.size());
  }
  return 0;
}
