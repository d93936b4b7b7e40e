// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/live_capture.h"

#include <set>

#include "tests/unit/sample_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

std::int64_t SecondsOf(WallTime time) {
  return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

/// A Cloudflare with one packet a second, which knows each `late` after its time, gives at most
/// `limit` of a window, and fails as it is told to.
struct LiveFixture : SampleFixture {
  LiveFixture() {
    http.Serve("GET", "*/download",
               [this](const http::HttpRequest& request) { return Window(request.url); });
  }

  Outcome Live(const config::OptionValues& given, const char* filter_text = "") {
    return With("cloudflare-live", given, filter_text,
                [](const CaptureContext& context) { return LiveCapture(context).Run(); });
  }

  FakeAnswer Window(const std::string& url) {
    ++downloads;
    if (failing.contains(downloads)) return {.status = 400, .body = Refusal("1", "no")};
    std::size_t number = 0;
    while (url.find("/" + cloudflare.samples.at(number).id) == std::string::npos) ++number;
    const auto& sample = cloudflare.samples[number];
    const std::int64_t end = SecondsOf(*ParseRfc3339(cloudflare.Asked(number, "offset_time")));
    const std::int64_t start = end - std::stoi(cloudflare.Asked(number, "time_limit"));
    const std::int64_t known =
        SecondsOf(loop.wall_start + (sample.posted - system::SteadyTime()) - late);
    PcapBytes file;
    for (std::int64_t at = start; at <= std::min(end, known) && at < start + limit; ++at) {
      file.Record(static_cast<std::uint32_t>(at), 0, UdpPacket(1, 2, 53));
    }
    return File(file);
  }

  /// Whether exactly the packets from `first` to `last`, in seconds after the start of the clock,
  /// were delivered, each once.
  void AssertWhole(std::int64_t first, std::int64_t last) const {
    std::multiset<std::uint64_t> times;
    for (const auto& packet : Read().packets) times.insert(packet.ticks / 1'000'000);
    assert_int_equal(times.size(), last - first + 1);
    for (std::int64_t at = first; at <= last; ++at) {
      assert_int_equal(times.count(static_cast<std::uint64_t>(kNowSeconds + at)), 1);
    }
  }

  bool ToldPart(std::string_view part) const {
    return std::ranges::any_of(reporter.states,
                               [&](const std::string& state) { return state.contains(part); });
  }

  std::int64_t limit = 10000;
  Duration late{0};
  std::set<int> failing;  ///< downloads, counted from 1
  int downloads = 0;
};

config::OptionValues Requests(const char* count) {
  return Given({{config::Opt::kMaxRequests, count}});
}

void WindowsJoinWithoutGapOrDuplicate(void**) {
  LiveFixture f;
  const Outcome outcome = f.Live(Requests("20"));
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 20);
  const std::int64_t last =
      SecondsOf(*ParseRfc3339(f.cloudflare.Asked(19, "offset_time"))) - kNowSeconds;
  assert_true(last > 19 * 60 && last < 20 * 62);
  f.AssertWhole(0, last);
  AssertContains(outcome.verdict, "Complete: live sample from 06:20:00 to ");
  AssertContains(outcome.verdict, " in 20 windows, no gaps, 20 requests, ");
  const ReadStream stream = f.Read();
  assert_int_equal(stream.interfaces.size(), 20);
  assert_int_equal(stream.interfaces[4].description.window.value(), 5);
  AssertContains(stream.interfaces[4].comment, "window 5, 06:");
  AssertText(stream.interfaces[19].comment, outcome.verdict);
  // A window later, at least the lag behind, looks again at the lag.
  AssertText(f.cloudflare.Asked(0, "offset_time"), "2026-11-23T06:20:10Z");
  AssertText(f.cloudflare.Asked(0, "time_limit"), "10");
  AssertText(f.cloudflare.Asked(1, "offset_time"), "2026-11-23T06:21:10Z");
  AssertText(f.cloudflare.Asked(1, "time_limit"), "70");
}

/// Samples that are later than the lag, but not than twice as much, are found by the next window.
void LateSamplesAreFound(void**) {
  for (const Duration late : {8s, 15s, 19s}) {
    LiveFixture f;
    f.late = late;
    AssertStatus(f.Live(Requests("20")), ExitStatus::kComplete);
    const std::int64_t known = std::max<std::int64_t>(late.count() / 1'000'000'000 - 10, 0);
    const std::int64_t last =
        SecondsOf(*ParseRfc3339(f.cloudflare.Asked(19, "offset_time"))) - kNowSeconds;
    f.AssertWhole(0, last - known);
  }
}

void EachPacketIsSeenOnceByTwoRequests(void**) {
  LiveFixture f;
  const Outcome outcome = f.Live(Requests("9"), "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 8);  // a window is two
  assert_true(f.ToldPart("; 2 requests, 2 min, for each window (one with dst host 10.0.0.1)"));
  f.AssertWhole(0, SecondsOf(*ParseRfc3339(f.cloudflare.Asked(7, "offset_time"))) - kNowSeconds);
}

void AWindowThatFailsIsPartOfTheNext(void**) {
  LiveFixture f;
  f.failing = {2, 3, 7};
  const Outcome outcome = f.Live(Requests("10"));
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "in 7 windows, no gaps, 10 requests");
  f.AssertWhole(0, SecondsOf(*ParseRfc3339(f.cloudflare.Asked(9, "offset_time"))) - kNowSeconds);
  assert_true(outcome.left_behind.empty());
}

/// An hour without a network loses nothing but time: it is caught up in windows of five minutes.
void AnHourWithoutANetworkLosesNothing(void**) {
  LiveFixture f;
  f.cloudflare.takes = 0s;
  const auto down = [&f] {
    return f.loop.Steady() > system::SteadyTime(200s) &&
           f.loop.Steady() < system::SteadyTime(3800s);
  };
  f.http.Serve("GET", "*/pcaps", [&](const http::HttpRequest&) -> FakeAnswer {
    if (down()) return {.status = 502, .body = "<html>"};
    return Ok("[]");
  });
  const Outcome outcome =
      f.Live(Given({{config::Opt::kMaxRequests, "40"}, {config::Opt::kSampleInterval, "60"}}));
  AssertStatus(outcome, ExitStatus::kComplete);
  const std::int64_t last =
      SecondsOf(*ParseRfc3339(f.cloudflare.Asked(39, "offset_time"))) - kNowSeconds;
  assert_true(last > 3800);
  f.AssertWhole(0, last);
}

void WhatCloudflareDoesNotKeepAnyMoreIsAGap(void**) {
  LiveFixture f;
  f.cloudflare.takes = 0s;
  f.http.Serve("GET", "*/pcaps", [&](const http::HttpRequest&) -> FakeAnswer {
    const Duration at = f.loop.Steady().time_since_epoch();
    if (at > 50s && at < 30h) return {.status = 502, .body = "<html>"};
    return Ok("[]");
  });
  const Outcome outcome = f.Live(Requests("12"));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "1 gap, 12 requests");
  AssertContains(outcome.verdict, "; nothing was captured from 06:20:40 to 12:22:");
}

void FromAnEarlierStartItCatchesUp(void**) {
  LiveFixture f;
  const Outcome outcome =
      f.Live(Given({{config::Opt::kStartTime, "-2h"}, {config::Opt::kMaxRequests, "5"}}));
  AssertStatus(outcome, ExitStatus::kComplete);
  for (std::size_t i = 0; i < 5; ++i) AssertText(f.cloudflare.Asked(i, "time_limit"), "300");
  f.AssertWhole(-7200, -7200 + 1500);
}

void AStopIsCompleteAndDeliversWhatIsHeld(void**) {
  LiveFixture f;
  f.loop.CallAt(f.loop.Steady() + 200s, [&f] { f.stop.Request(); });
  const Outcome outcome = f.Live(Requests("0"));
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "Complete: live sample from ");
  assert_int_equal(f.loop.Steady().time_since_epoch() / 1s, 200);
}

void AStopBeforeTheFirstWindowHasNothing(void**) {
  LiveFixture f;
  f.loop.CallAt(f.loop.Steady() + 5s, [&f] { f.stop.Request(); });
  const Outcome outcome = f.Live({});
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_true(outcome.stopped && f.sink.bytes.empty());
  assert_int_equal(f.cloudflare.samples.size(), 0);
}

/// One of two requests is there when the stop comes.
void AStopInTheMiddleOfAWindowDeliversIt(void**) {
  LiveFixture f;
  f.loop.CallAt(f.loop.Steady() + 170s, [&f] { f.stop.Request(); });
  const Outcome outcome = f.Live(Requests("0"), "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "left out: 1 of 2 requests of the last window");
  f.AssertWhole(0, SecondsOf(*ParseRfc3339(f.cloudflare.Asked(2, "offset_time"))) - kNowSeconds);
}

void FinishTakesALastWindow(void**) {
  LiveFixture f;
  f.loop.CallAt(f.loop.Steady() + 100s, [&f] { f.stop.Finish(); });
  const Outcome outcome = f.Live(Requests("0"));
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 3);
  const std::int64_t last =
      SecondsOf(*ParseRfc3339(f.cloudflare.Asked(2, "offset_time"))) - kNowSeconds;
  assert_true(last >= 100);
  f.AssertWhole(0, last);
}

void AWindowAtTheLimitSaysItsShare(void**) {
  LiveFixture f;
  f.limit = 40;
  const Outcome outcome =
      f.Live(Given({{config::Opt::kMaxRequests, "4"}, {config::Opt::kPacketLimit, "40"}}));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "the limit of 40 packets was reached");
  AssertContains(outcome.verdict, "% of the time is covered");
  const CaptureDescription told = f.Read().interfaces[2].description;
  assert_true(told.limit_reached.value());
  assert_int_equal(told.coverage_share.value(), 54);
  assert_true(f.ToldPart(" (packet limit reached: 47% of the time); next in "));
  assert_true(f.ToldPart("; a narrower filter asks for less"));
}

/// What the reader's side cannot take no other window can give.
void AWriteErrorEndsIt(void**) {
  LiveFixture f;
  f.sink.room = 0;
  const Outcome outcome = f.Live(Requests("0"));
  assert_true(outcome.error.has_value());
  assert_int_equal(f.cloudflare.samples.size(), 1);
}

void IfEveryWindowFailsThatIsTheEnd(void**) {
  LiveFixture f;
  f.failing = {1, 2};
  const Outcome outcome = f.Live(Requests("2"));
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(SentenceOf(*outcome.error), "HTTP 400");
  assert_true(f.sink.bytes.empty());
}

void AFailedLastWindowIsALoss(void**) {
  LiveFixture f;
  f.failing = {3};
  const Outcome outcome = f.Live(Requests("3"));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "; what was seen from 2026-11-23T06:21:10Z on is missing: ");
  AssertContains(outcome.verdict, "in 2 windows");
  f.AssertWhole(0, 70);
}

/// The first of two requests is there, and there is no third.
void WhatALastFailureLeavesIsDelivered(void**) {
  LiveFixture f;
  f.failing = {4};
  const Outcome outcome = f.Live(Requests("4"), "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "in 1 window,");
  AssertContains(outcome.verdict, "; left out: 1 of 2 requests of the last window");
  assert_int_equal(f.Read().interfaces.size(), 3);
}

void FinishDoesNotTryForEver(void**) {
  LiveFixture f;
  for (int i = 3; i < 100; ++i) f.failing.insert(i);
  f.loop.CallAt(f.loop.Steady() + 100s, [&f] { f.stop.Finish(); });
  const Outcome outcome = f.Live(Requests("0"));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 5);
}

/// A packet that does not match is evidence only as long as none has matched, in any window.
void OneStrangePacketIsFilteredOutLater(void**) {
  LiveFixture f;
  int downloads = 0;
  f.http.Serve("GET", "*/download", [&](const http::HttpRequest&) {
    return File(PcapBytes().Record(kNowSeconds, 0, UdpPacket(1, ++downloads == 2 ? 3 : 2, 53)));
  });
  const Outcome outcome = f.Live(Requests("3"), "dst host 10.0.0.2");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(outcome.counts.filtered_out, 1);
  assert_true(f.reporter.warnings.empty());
}

void ADayAgoIsAsCloseAsCanBe(void**) {
  LiveFixture f;
  const Outcome outcome = f.Live(Given({{config::Opt::kStartTime, "-1d"},
                                        {config::Opt::kTimeLimit, "25"},
                                        {config::Opt::kMaxRequests, "1"}}));
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "no gaps");
  assert_int_equal(f.reporter.warnings.size(), 1);
  AssertContains(f.reporter.warnings[0], "The live sample begins at 2026-11-22T06:22:05Z");
}

void FallingBehindIsTold(void**) {
  LiveFixture f;
  AssertStatus(f.Live(Given({{config::Opt::kTimeLimit, "11"}, {config::Opt::kMaxRequests, "9"}})),
               ExitStatus::kComplete);
  assert_true(f.ToldPart(" behind"));
}

void OthersGetEverySecondTurn(void**) {
  LiveFixture f;
  f.cloudflare.others = {R"({"id":"theirs","type":"simple","status":"success","submitted":")" +
                         FormatRfc3339(f.loop.wall_start - 70s) + "\"}"};
  AssertStatus(f.Live(Requests("8")), ExitStatus::kComplete);
  const auto& samples = f.cloudflare.samples;
  assert_true(samples[1].posted - samples[0].posted >= 120s);
  assert_true(samples[7].posted - samples[6].posted < 63s);  // nobody else has asked for long
}

/// A run that has ended asks for no more turns, even if it ended a moment ago.
void OnesOwnEndedRunIsNoOther(void**) {
  LiveFixture f;
  AssertStatus(f.Live(Requests("1")), ExitStatus::kComplete);
  AssertStatus(f.Live(Requests("4")), ExitStatus::kComplete);
  const auto& samples = f.cloudflare.samples;
  assert_int_equal(samples.size(), 5);
  for (std::size_t i = 2; i < samples.size(); ++i) {
    assert_true(samples[i].posted - samples[i - 1].posted < 63s);
  }
}

void WhatCannotBeMeantIsRefused(void**) {
  LiveFixture f;
  AssertStatus(f.Live(Requests("1"), "host 10.0.0.1"), ExitStatus::kUsage);
  AssertStatus(f.Live(Given({{config::Opt::kLiveLag, "60"}, {config::Opt::kTimeLimit, "60"}})),
               ExitStatus::kUsage);
  AssertStatus(f.Live(Given({{config::Opt::kStartTime, "-25h"}})), ExitStatus::kUsage);
  AssertStatus(f.Live(Given({{config::Opt::kStartTime, "2026-11-24T00:00:00Z"}})),
               ExitStatus::kUsage);
  assert_true(f.http.requests.empty());
}

void ARefusalEndsIt(void**) {
  LiveFixture f;
  f.http.Serve("POST", "*/pcaps", [](const http::HttpRequest&) -> FakeAnswer {
    return {.status = 403, .body = Refusal("10000", "no")};
  });
  const Outcome outcome = f.Live({});
  AssertStatus(outcome, ExitStatus::kFailed);
  assert_true(f.sink.bytes.empty());
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WindowsJoinWithoutGapOrDuplicate),
      cmocka_unit_test(LateSamplesAreFound),
      cmocka_unit_test(EachPacketIsSeenOnceByTwoRequests),
      cmocka_unit_test(AWindowThatFailsIsPartOfTheNext),
      cmocka_unit_test(AnHourWithoutANetworkLosesNothing),
      cmocka_unit_test(WhatCloudflareDoesNotKeepAnyMoreIsAGap),
      cmocka_unit_test(FromAnEarlierStartItCatchesUp),
      cmocka_unit_test(AStopIsCompleteAndDeliversWhatIsHeld),
      cmocka_unit_test(AStopBeforeTheFirstWindowHasNothing),
      cmocka_unit_test(AStopInTheMiddleOfAWindowDeliversIt),
      cmocka_unit_test(FinishTakesALastWindow),
      cmocka_unit_test(AWindowAtTheLimitSaysItsShare),
      cmocka_unit_test(AWriteErrorEndsIt),
      cmocka_unit_test(IfEveryWindowFailsThatIsTheEnd),
      cmocka_unit_test(AFailedLastWindowIsALoss),
      cmocka_unit_test(WhatALastFailureLeavesIsDelivered),
      cmocka_unit_test(FinishDoesNotTryForEver),
      cmocka_unit_test(OneStrangePacketIsFilteredOutLater),
      cmocka_unit_test(ADayAgoIsAsCloseAsCanBe),
      cmocka_unit_test(FallingBehindIsTold),
      cmocka_unit_test(OthersGetEverySecondTurn),
      cmocka_unit_test(OnesOwnEndedRunIsNoOther),
      cmocka_unit_test(WhatCannotBeMeantIsRefused),
      cmocka_unit_test(ARefusalEndsIt),
  };
  return cmocka_run_group_tests_name("live_capture", tests, nullptr, nullptr);
}
