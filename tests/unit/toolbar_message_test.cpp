// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/toolbar_message.h"

#include <vector>

#include "tests/unit/toolbar_pieces.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

std::vector<ToolbarMessage> ReadAll(const std::string& stream, std::size_t step) {
  return ReadInPieces(stream, step, [](bool holds) { assert_true(holds); });
}

ToolbarMessage Message(int control, ToolbarCommand command, std::string payload) {
  return {.control = static_cast<std::uint8_t>(control),
          .command = static_cast<std::uint8_t>(command),
          .payload = std::move(payload)};
}

/// Wireshark's greeting, as every version tried sends it.
void TheGreetingIsRead(void**) {
  const ToolbarRead read = ReadToolbarMessage(std::string_view("T\0\0\2\0\0", 6));
  assert_int_equal(read.used, 6);
  assert_true(*read.message == Message(0, ToolbarCommand::kInitialized, ""));
}

void WrittenAndReadTheSame(void**) {
  const std::vector<ToolbarMessage> messages = {
      Message(0, ToolbarCommand::kSet, "pending, 42 s"),
      Message(255, ToolbarCommand::kError, ""),
      Message(2, ToolbarCommand::kAdd, std::string("T\0\0\2T", 5)),
      Message(3, ToolbarCommand::kSet, std::string(kLongestPayload, 'T')),
  };
  std::string stream;
  for (const ToolbarMessage& message : messages) stream += WriteToolbarMessage(message);
  for (const std::size_t step : {1UL, 2UL, 7UL, 4096UL, stream.size()}) {
    assert_true(ReadAll(stream, step) == messages);
  }
}

void TheLengthCountsNumberAndCommand(void**) {
  const std::string bytes = WriteToolbarMessage(Message(1, ToolbarCommand::kSet, "abc"));
  assert_memory_equal(bytes.data(), "T\0\0\5\1\1abc", 9);
  assert_int_equal(bytes.size(), 9);
}

void APayloadIsCutAtTheLongest(void**) {
  const std::string bytes =
      WriteToolbarMessage(Message(1, ToolbarCommand::kSet, std::string(70000, 'x')));
  assert_int_equal(ReadToolbarMessage(bytes).message->payload.size(), kLongestPayload);
}

void GarbageIsPassedOver(void**) {
  const ToolbarMessage good = Message(1, ToolbarCommand::kSet, "x");
  const std::string bytes = WriteToolbarMessage(good);
  for (const std::string& garbage :
       {std::string("nonsense"), std::string(5000, '\0'), std::string("T\0\0\0", 4),
        std::string("T\0\0\1", 4), std::string("T\xff\xff\xff", 4), std::string("TTTT"),
        std::string("T\2\0\0TT", 6)}) {
    const std::vector<ToolbarMessage> read = ReadAll(garbage + bytes + bytes, 3);
    assert_true(!read.empty() && read.back() == good);
  }
}

void GarbageIsNotKept(void**) {
  const std::string garbage(1 << 20, 'x');
  const ToolbarRead read = ReadToolbarMessage(garbage);
  assert_false(read.message.has_value());
  assert_int_equal(read.used, garbage.size());
}

void AnUnfinishedMessageIsWaitedFor(void**) {
  const std::string bytes = WriteToolbarMessage(Message(1, ToolbarCommand::kSet, "abc"));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const ToolbarRead read = ReadToolbarMessage(bytes.substr(0, n));
    assert_false(read.message.has_value());
    assert_int_equal(read.used, 0);
  }
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheGreetingIsRead),
      cmocka_unit_test(WrittenAndReadTheSame),
      cmocka_unit_test(TheLengthCountsNumberAndCommand),
      cmocka_unit_test(APayloadIsCutAtTheLongest),
      cmocka_unit_test(GarbageIsPassedOver),
      cmocka_unit_test(GarbageIsNotKept),
      cmocka_unit_test(AnUnfinishedMessageIsWaitedFor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
