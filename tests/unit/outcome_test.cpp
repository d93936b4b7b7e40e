// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/outcome.h"

#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

/// A capture that delivered `delivered` packets without trouble.
Outcome Good(std::uint64_t delivered) {
  Outcome outcome;
  outcome.stream_begun = true;
  outcome.counts.received = 10;
  outcome.counts.delivered = delivered;
  return outcome;
}

void AssertStatus(const Outcome& outcome, int status) {
  assert_int_equal(static_cast<int>(StatusOf(outcome)), status);
}

void EachEndHasItsStatus(void**) {
  AssertStatus(Good(1), 0);
  AssertStatus(Good(0), 3);

  Outcome limited = Good(10);
  limited.losses = {"the limit was reached"};
  AssertStatus(limited, 4);
  limited.counts.delivered = 0;
  AssertStatus(limited, 4);

  Outcome stopped = Good(5);
  stopped.stopped = true;
  AssertStatus(stopped, 4);
  stopped.stream_begun = false;
  AssertStatus(stopped, 4);
}

void AnErrorCountsByWhenItCame(void**) {
  Outcome outcome;
  outcome.error = Error{"no server"};
  AssertStatus(outcome, 1);
  outcome = Good(7);
  outcome.error = Error{"the second window failed"};
  AssertStatus(outcome, 4);
  outcome.error = Error{.what = "a mistyped option", .kind = Error::Kind::kUsage};
  AssertStatus(outcome, 2);
}

void WhatIsSaidIsOneSentence(void**) {
  Outcome outcome;
  AssertText(Complaint(outcome), "");
  outcome.left_behind = "capture a1 goes on; get it with --pcap-id a1";
  AssertText(Complaint(outcome), "capture a1 goes on; get it with --pcap-id a1");
  outcome.error = Error{"cannot ask: no network."};
  AssertText(Complaint(outcome),
             "cannot ask: no network; capture a1 goes on; get it with --pcap-id a1.");
  outcome.error = Error{.what = "cannot ask", .remedy = "check the network"};
  AssertText(Complaint(outcome),
             "cannot ask; check the network; capture a1 goes on; get it with --pcap-id a1.");
}

void NotesAreTakenIn(void**) {
  Outcome outcome;
  outcome.Note({});
  assert_false(outcome.error.has_value() || outcome.stopped);
  outcome.Note(Fail("stopped", Error::Kind::kInterrupted));
  assert_true(outcome.stopped);
  assert_false(outcome.error.has_value());
  outcome.Note(Fail("first"));
  outcome.Note(Fail("second", Error::Kind::kUsage));
  AssertText(ClauseOf(*outcome.error), "first");
}

void CountsAddUp(void**) {
  PacketCounts counts{
      .received = 1, .delivered = 2, .filtered_out = 3, .undecided = 4, .duplicates = 5};
  counts +=
      {.received = 10, .delivered = 20, .filtered_out = 30, .undecided = 40, .duplicates = 50};
  assert_int_equal(counts.received, 11);
  assert_int_equal(counts.delivered, 22);
  assert_int_equal(counts.filtered_out, 33);
  assert_int_equal(counts.undecided, 44);
  assert_int_equal(counts.duplicates, 55);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachEndHasItsStatus),
      cmocka_unit_test(AnErrorCountsByWhenItCame),
      cmocka_unit_test(WhatIsSaidIsOneSentence),
      cmocka_unit_test(NotesAreTakenIn),
      cmocka_unit_test(CountsAddUp),
  };
  return cmocka_run_group_tests_name("outcome", tests, nullptr, nullptr);
}
