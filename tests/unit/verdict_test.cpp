// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/verdict.h"

#include "common/redact.h"
#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

constexpr std::uint64_t kFirst = 1795414700'123456789;
constexpr std::uint64_t kLast = 1795414799'000000000;

Outcome Received(std::uint64_t received, std::uint64_t delivered) {
  Outcome outcome;
  outcome.counts.received = received;
  outcome.counts.delivered = delivered;
  outcome.counts.filtered_out = received - delivered;
  return outcome;
}

std::string Told(const Outcome& outcome, bool filtered = true, bool sampled = true) {
  Coverage coverage{.asked = "sample from 06:15:00 to 06:20:00 UTC", .sampled = sampled};
  if (outcome.counts.received > 0) coverage.Include(kFirst, kLast);
  return Verdict(outcome, coverage, filtered);
}

void ACompleteCaptureSaysWhatWasAskedAndCame(void**) {
  AssertText(Told(Received(12345, 214)),
             "Complete: sample from 06:15:00 to 06:20:00 UTC, 12,345 packets received, 214 match "
             "the filter, from 2026-11-23T06:18:20.123Z to 2026-11-23T06:19:59Z.");
  AssertText(Told(Received(1, 1), false),
             "Complete: sample from 06:15:00 to 06:20:00 UTC, 1 packet received, from "
             "2026-11-23T06:18:20.123Z to 2026-11-23T06:19:59Z.");
}

void UndecidedPacketsAreCounted(void**) {
  Outcome outcome = Received(50, 20);
  outcome.counts.undecided = 3;
  AssertContains(Told(outcome), "20 match the filter (3 of them cut too short to be sure), from");
}

void UntestedPacketsAreNotCalledMatches(void**) {
  Outcome outcome = Received(50, 50);
  outcome.counts.undecided = 30;
  outcome.counts.untested = 30;
  AssertContains(
      Told(outcome),
      "20 match the filter, 30 could not be tested and were delivered all the same, from");
}

void WhatWasDeliveredWithoutAMatchIsNotCalledAMatch(void**) {
  Outcome outcome = Received(50, 50);
  outcome.counts.unmatched = 30;
  AssertContains(Told(outcome),
                 "20 match the filter, 30 do not and were delivered all the same, from");
}

/// Live windows overlap: what comes again matched the filter, too.
void WhatCameAgainIsAMatch(void**) {
  Outcome outcome = Received(187, 176);
  outcome.counts.filtered_out = 0;
  outcome.counts.duplicates = 11;
  outcome.counts.matching_duplicates = 11;
  AssertContains(Told(outcome),
                 "187 packets received, 187 match the filter, 11 repeats left out, from");
  AssertContains(Told(outcome, false), "187 packets received, 11 repeats left out, from");
  // What the filter rejects and is delivered all the same may come again, too.
  Outcome unlike = Received(20, 15);
  unlike.counts.unmatched = 15;
  unlike.counts.duplicates = 5;
  AssertContains(Told(unlike),
                 "0 match the filter, 15 do not and were delivered all the same, 5 "
                 "repeats left out, from");
}

void ASecretThatAServerRepeatsStaysOut(void**) {
  RegisterSecret("cfut_lost0123456789");
  Outcome outcome = Received(100, 100);
  outcome.losses = {"the object cfut_lost0123456789 is gone"};
  AssertContains(Told(outcome), "Z; the object [secret] is gone.");
}

void LossesMakeItIncomplete(void**) {
  Outcome outcome = Received(100, 100);
  outcome.losses = {"the limit of 100 packets was reached", "the file is damaged"};
  const std::string told = Told(outcome);
  AssertText(told.substr(0, 12), "Incomplete: ");
  AssertContains(told, "Z; the limit of 100 packets was reached; the file is damaged.");
}

/// Found by the soak benchmark: 286 windows that met their limit said so 286 times in each of 286
/// statistics blocks.
void AVerdictStaysALineWhateverIsLost(void**) {
  Outcome outcome = Received(50, 20);
  for (int window = 0; window < 286; ++window) outcome.losses.emplace_back("the limit was reached");
  AssertContains(Told(outcome), "; the limit was reached (286 times).");
  for (int part = 0; part < 1500; ++part) {
    outcome.losses.push_back("part " + std::to_string(part) + " is damaged");
  }
  AssertContains(Told(outcome), "; part 4 is damaged; and 1,495 more such losses.");
  assert_true(Told(outcome).size() < 500);
}

void AFailureIsNeverComplete(void**) {
  Outcome outcome = Received(100, 100);
  outcome.error = Error{"the second window failed"};
  AssertText(Told(outcome).substr(0, 12), "Incomplete: ");
  outcome = Received(0, 0);
  outcome.error = Error{"it failed"};
  AssertText(Told(outcome).substr(0, 12), "Incomplete: ");
  AssertLacks(Told(outcome), "likely causes");
}

void AStopIsSaidFirst(void**) {
  Outcome outcome = Received(5, 5);
  outcome.stopped = true;
  outcome.losses = {"something"};
  AssertText(Told(outcome).substr(0, 9), "Stopped: ");
}

void NothingReceivedNamesTheLikelyCauses(void**) {
  const std::string told = Told(Received(0, 0));
  for (const char* cause : {"0 packets received", "no such traffic", "sampling", "DDoS",
                            "outbound traffic", "encapsulated"}) {
    AssertContains(told, cause);
  }
  AssertLacks(told, "1970");
  assert_true(told.ends_with(LikelyCauses(Received(0, 0), true) + "."));
  const std::string full = Told(Received(0, 0), true, false);
  AssertContains(full, "no such traffic at this data center while it ran, packets dropped");
  AssertLacks(full, "sampling");
  Outcome somewhere = Received(0, 0);
  somewhere.colo = "ord02";
  AssertText(Told(somewhere, true, false), full);
  somewhere.colo = "ODR";
  AssertContains(Told(somewhere, true, false),
                 "likely causes: a mistyped data center (this version does not know ODR), no such");
  Outcome stopped = Received(0, 0);
  stopped.stopped = true;
  AssertLacks(Told(stopped), "likely causes");
}

void NothingThatMatchesNamesTheSwitch(void**) {
  AssertContains(Told(Received(10, 0)), "0 match the filter");
  AssertContains(Told(Received(10, 0)), "; turn the option local-filter off to see what came.");
  AssertLacks(Told(Received(10, 1)), "local-filter");
}

void CoverageIsTheWidestOfItsParts(void**) {
  Coverage coverage;
  coverage.Include(0, 0);
  assert_int_equal(coverage.first_nanoseconds, 0);
  coverage.Include(50, 60);
  coverage.Include(0, 0);
  coverage.Include(40, 45);
  coverage.Include(55, 70);
  assert_int_equal(coverage.first_nanoseconds, 40);
  assert_int_equal(coverage.last_nanoseconds, 70);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ACompleteCaptureSaysWhatWasAskedAndCame),
      cmocka_unit_test(UndecidedPacketsAreCounted),
      cmocka_unit_test(UntestedPacketsAreNotCalledMatches),
      cmocka_unit_test(WhatWasDeliveredWithoutAMatchIsNotCalledAMatch),
      cmocka_unit_test(WhatCameAgainIsAMatch),
      cmocka_unit_test(ASecretThatAServerRepeatsStaysOut),
      cmocka_unit_test(LossesMakeItIncomplete),
      cmocka_unit_test(AVerdictStaysALineWhateverIsLost),
      cmocka_unit_test(AFailureIsNeverComplete),
      cmocka_unit_test(AStopIsSaidFirst),
      cmocka_unit_test(NothingReceivedNamesTheLikelyCauses),
      cmocka_unit_test(NothingThatMatchesNamesTheSwitch),
      cmocka_unit_test(CoverageIsTheWidestOfItsParts),
  };
  return cmocka_run_group_tests_name("verdict", tests, nullptr, nullptr);
}
