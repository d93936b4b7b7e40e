// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/limits.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

api::PcapJob With(std::optional<std::uint64_t> packets, std::optional<std::uint64_t> bytes) {
  api::PcapJob job;
  job.packet_limit = packets;
  job.byte_limit = bytes;
  return job;
}

void AKnownPacketLimitIsReachedOrNot(void**) {
  AssertText(JudgeLimits(With(100, {}), {.packets = 100}).reached.value(), "100 packets");
  const LimitState below = JudgeLimits(With(100, {}), {.packets = 99});
  assert_true(below.known && !below.reached);
  assert_false(below.value().value());
}

void AByteLimitIsReachedWhereOneMorePacketWouldNotHaveFitted(void**) {
  const api::PcapJob job = With(100, 1000);
  AssertText(JudgeLimits(job, {.packets = 5, .bytes = 950, .longest_record = 60}).reached.value(),
             "1,000 bytes");
  assert_false(
      JudgeLimits(job, {.packets = 5, .bytes = 900, .longest_record = 60}).reached.has_value());
  assert_false(JudgeLimits(job, {}).reached.has_value());
}

void AnUnknownLimitIsUnknown(void**) {
  const LimitState unknown = JudgeLimits(With({}, {}), {.packets = 9'999});
  assert_false(unknown.known);
  assert_false(unknown.value().has_value());
  // No capture has more than the API's largest limit.
  AssertText(JudgeLimits(With({}, {}), {.packets = 10'000}).reached.value(), "10,000 packets");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AKnownPacketLimitIsReachedOrNot),
      cmocka_unit_test(AByteLimitIsReachedWhereOneMorePacketWouldNotHaveFitted),
      cmocka_unit_test(AnUnknownLimitIsUnknown),
  };
  return cmocka_run_group_tests_name("limits", tests, nullptr, nullptr);
}
