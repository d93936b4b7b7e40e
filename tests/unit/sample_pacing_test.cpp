// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_pacing.h"

#include "tests/unit/api_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// A capture submitted `age` before the fake clock's start.
std::string JobOfAge(const FakeEventLoop& loop, Duration age, const std::string& id,
                     const std::string& type = "simple") {
  return R"({"id":")" + id + R"(","type":")" + type + R"(","status":"success","submitted":")" +
         FormatRfc3339(loop.wall_start - age) + "\"}";
}

struct Turn {
  Result<std::vector<api::PcapJob>> jobs;
  std::vector<Duration> told;
  bool left = false;  ///< a turn to others
};

Turn AwaitTurn(ApiFixture& f, const SamplePace& pace = {.interval = 60s}) {
  Turn turn{.jobs = {}, .told = {}};
  turn.jobs =
      AwaitSampleTurn(f.api, f.loop, pace, f.ForSeconds(5), [&](Duration left, bool leaves_turn) {
        turn.told.push_back(left);
        turn.left = leaves_turn;
      });
  return turn;
}

void WithNoSampleInTheWayNothingIsAwaited(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobOfAge(f.loop, 60s, "a"), JobOfAge(f.loop, 5h, "b"),
                              JobOfAge(f.loop, 1s, "c", "full"),
                              R"({"id":"d","type":"simple","submitted":"soon"})",
                              R"({"id":"e","type":"simple"})", "{}", "null"})));
  const Turn turn = AwaitTurn(f);
  assert_int_equal(ValueOf(turn.jobs).size(), 6);
  assert_true(turn.told.empty());
  assert_int_equal(f.Elapsed(), 0);
}

void TheYoungestSampleCounts(void**) {
  ApiFixture f;
  const std::vector<api::PcapJob> none;
  assert_true(SampleWait(none, f.loop, 60s) == Duration(0));
  api::PcapJob job;
  job.type = "simple";
  std::vector<api::PcapJob> jobs;
  for (const Duration age : {50s, 12s, 300s, 59s}) {
    job.submitted = FormatRfc3339(f.loop.Now() - age);
    jobs.push_back(job);
  }
  assert_true(SampleWait(jobs, f.loop, 60s) == 48s);
  assert_true(SampleWait(jobs, f.loop, 13s) == 1s);
  assert_true(SampleWait(jobs, f.loop, 12s) == Duration(0));
  assert_true(SampleWait(jobs, f.loop, 0s) == Duration(0));
}

void TheWaitIsCountedDown(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JsonArray({JobOfAge(f.loop, 56500ms, "a")})));
  const Turn turn = AwaitTurn(f);
  AssertGood(turn.jobs);
  // 3.5 s and half a second for clocks that differ.
  assert_int_equal(turn.told.size(), 4);
  assert_true(turn.told.front() == 4s);
  assert_true(turn.told.back() == 1s);
  assert_int_equal(f.http.requests.size(), 2);
  assert_int_equal(f.Elapsed(), 4);
}

/// Somebody else's sample may have used the turn meanwhile.
void ATurnThatSomebodyTookIsAwaitedAgain(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JsonArray({JobOfAge(f.loop, 40s, "a")})));
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobOfAge(f.loop, 40s, "a"), JobOfAge(f.loop, -10s, "b")})));
  AssertGood(AwaitTurn(f).jobs);
  // 20.5 s for the first, then until 60 s after the second's submission at 10 s.
  assert_int_equal(f.Elapsed(), 70);
}

/// A clock that is an hour behind sees every sample submitted in the future.
void AClockThatIsWrongWaitsOneIntervalOnly(void**) {
  for (const Duration ahead : {2min, 60min}) {
    ApiFixture f;
    f.http.Answer("GET", "*", Ok(JsonArray({JobOfAge(f.loop, -ahead, "a")})));
    AssertGood(AwaitTurn(f).jobs);
    assert_int_equal(f.Elapsed(), 60);
  }
}

void TheIntervalIsASetting(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JsonArray({JobOfAge(f.loop, 1s, "a")})));
  AssertGood(AwaitTurn(f, {.interval = 3s}).jobs);
  assert_int_equal(f.Elapsed(), 2);
}

/// While others take samples, a run that yields leaves them every second turn.
void YieldingLeavesEverySecondTurn(void**) {
  const std::vector<std::string> ours = {"a", "b"};
  ApiFixture f;
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobOfAge(f.loop, 60s, "a"), JobOfAge(f.loop, 180s, "b"),
                              JobOfAge(f.loop, 120s, "theirs")})));
  const Yielding yielding{.ours = ours, .before = {}};
  const Turn turn = AwaitTurn(f, {.interval = 60s, .yielding = &yielding});
  AssertGood(turn.jobs);
  assert_true(turn.left);
  assert_int_equal(f.Elapsed(), 60);
}

/// What the same user took before the run is not somebody else's turn.
void NobodyYieldsToTheirOwnEarlierSamples(void**) {
  const std::vector<std::string> ours = {"a"};
  const Yielding yielding{.ours = ours, .before = {"earlier", "live"}};
  ApiFixture f;
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobOfAge(f.loop, 30s, "a"), JobOfAge(f.loop, 120s, "earlier"),
                              JobOfAge(f.loop, 180s, "live")})));
  const Turn turn = AwaitTurn(f, {.interval = 60s, .yielding = &yielding});
  AssertGood(turn.jobs);
  assert_false(turn.left);
  assert_int_equal(f.Elapsed(), 30);
}

void NobodyYieldsToThoseWhoHaveGone(void**) {
  const std::vector<std::string> ours = {"a"};
  ApiFixture f;
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobOfAge(f.loop, 60s, "a"), JobOfAge(f.loop, 601s, "theirs"),
                              JobOfAge(f.loop, 1s, "full", "full")})));
  const Yielding yielding{.ours = ours, .before = {}};
  AssertGood(AwaitTurn(f, {.interval = 60s, .yielding = &yielding}).jobs);
  assert_int_equal(f.Elapsed(), 0);
  api::PcapJob theirs;
  theirs.id = "theirs";
  theirs.type = "simple";
  theirs.submitted = FormatRfc3339(f.loop.Now() - 90s);
  assert_true(YieldingWait({theirs}, f.loop, 60s, yielding) == Duration(0));  // nothing of ours yet
}

void AStopEndsTheWait(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JsonArray({JobOfAge(f.loop, 1s, "a")})));
  f.loop.CallAt(f.loop.Steady() + 10500ms, [&] { f.stopped = true; });
  AssertFails(AwaitTurn(f).jobs, Error::Kind::kInterrupted, "stopped");
  assert_true(f.loop.Steady().time_since_epoch() == 10500ms);
}

void AListThatFailsEndsIt(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 401, .body = Refusal("1000", "Invalid API Token")});
  AssertFails(AwaitTurn(f).jobs, Error::Kind::kFinal, "check the API token");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WithNoSampleInTheWayNothingIsAwaited),
      cmocka_unit_test(TheYoungestSampleCounts),
      cmocka_unit_test(TheWaitIsCountedDown),
      cmocka_unit_test(ATurnThatSomebodyTookIsAwaitedAgain),
      cmocka_unit_test(AClockThatIsWrongWaitsOneIntervalOnly),
      cmocka_unit_test(TheIntervalIsASetting),
      cmocka_unit_test(YieldingLeavesEverySecondTurn),
      cmocka_unit_test(NobodyYieldsToThoseWhoHaveGone),
      cmocka_unit_test(NobodyYieldsToTheirOwnEarlierSamples),
      cmocka_unit_test(AStopEndsTheWait),
      cmocka_unit_test(AListThatFailsEndsIt),
  };
  return cmocka_run_group_tests_name("sample_pacing", tests, nullptr, nullptr);
}
