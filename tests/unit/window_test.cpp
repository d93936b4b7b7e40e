// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window.h"

#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// 2026-11-23T06:20:00Z.
constexpr WallTime kNow{1795414800s};

std::string Parsed(std::string_view text) {
  return FormatRfc3339(ValueOf(ParseTime(text, kNow, "start-time")));
}

std::vector<Window> Planned(const std::string& start, const std::string& end, Duration limit = 300s,
                            WallTime now = kNow) {
  return ValueOf(PlanWindows(start, end, limit, now));
}

void AssertWindow(const Window& window, const char* start, const char* end) {
  AssertText(FormatRfc3339(window.start), start);
  AssertText(FormatRfc3339(window.end), end);
}

void TimesAreTakenInEverySpelling(void**) {
  AssertText(Parsed("now"), "2026-11-23T06:20:00Z");
  AssertText(Parsed(" now\n"), "2026-11-23T06:20:00Z");
  AssertText(Parsed("-90s"), "2026-11-23T06:18:30Z");
  AssertText(Parsed("-30m"), "2026-11-23T05:50:00Z");
  AssertText(Parsed("-2h"), "2026-11-23T04:20:00Z");
  AssertText(Parsed("-1d"), "2026-11-22T06:20:00Z");
  AssertText(Parsed("1795414740"), "2026-11-23T06:19:00Z");
  AssertText(Parsed("1795414740.5"), "2026-11-23T06:19:00.5Z");
  AssertText(Parsed("2026-11-23T06:19:00Z"), "2026-11-23T06:19:00Z");
  AssertText(Parsed("2026-11-23t06:19:00.123456789z"), "2026-11-23T06:19:00.123456789Z");
  AssertText(Parsed("2026-11-23 07:19:00+01:00"), "2026-11-23T06:19:00Z");
}

void OtherTextsAreRefusedWithTheSpellings(void**) {
  for (const char* bad : {"",
                          "yesterday",
                          "-",
                          "-s",
                          "-2",
                          "-2w",
                          "2h",
                          "+2h",
                          "--2h",
                          "-2.5h",
                          "-h2",
                          "NOW",
                          "2026-11-23",
                          "2026-02-30T00:00:00Z",
                          "2026-11-23T25:00:00Z",
                          "1795414740s",
                          "1.2.3",
                          ".5",
                          "1e9",
                          "99999999999999999999",
                          "-99999999999h",
                          "-213504d",
                          "12345678901234567890123"}) {
    AssertFails(ParseTime(bad, kNow, "start-time"), Error::Kind::kUsage,
                "but a time is written 03:10, yesterday 23:00, 2026-11-23 06:20 (local time), "
                "2026-11-23T06:20:00Z, as seconds since 1970, as an age such as -30m or -2h, or "
                "now.");
  }
  AssertFails(ParseTime("a}{b", kNow, "end-time"), Error::Kind::kUsage, "end-time is \"a)(b\",");
}

/// Half an hour is six windows of five minutes, whatever fraction of a second it is now.
void AgesCostNoWindowForAFractionOfASecond(void**) {
  const auto windows = Planned("-2h", "-90m", 300s, kNow + 480ms);
  assert_int_equal(windows.size(), 6);
  AssertWindow(windows.front(), "2026-11-23T04:20:00Z", "2026-11-23T04:25:00Z");
  AssertWindow(windows.back(), "2026-11-23T04:45:00Z", "2026-11-23T04:50:00Z");
  assert_int_equal(Planned("-5m", "now", 300s, kNow + 999ms).size(), 1);
}

void TheDefaultIsOneWindowUpToNow(void**) {
  const auto windows = Planned("", "");
  assert_int_equal(windows.size(), 1);
  AssertWindow(windows[0], "2026-11-23T06:15:00Z", "2026-11-23T06:20:00Z");
  AssertWindow(Planned("", "", 7s)[0], "2026-11-23T06:19:53Z", "2026-11-23T06:20:00Z");
}

void AnEndAloneLooksBackFromThere(void**) {
  const auto windows = Planned("", "-1h", 60s);
  assert_int_equal(windows.size(), 1);
  AssertWindow(windows[0], "2026-11-23T05:19:00Z", "2026-11-23T05:20:00Z");
}

void ASpanBecomesWindowsThatShareTheirInstants(void**) {
  const auto windows = Planned("-30m", "");
  assert_int_equal(windows.size(), 6);
  AssertWindow(windows.front(), "2026-11-23T05:50:00Z", "2026-11-23T05:55:00Z");
  AssertWindow(windows.back(), "2026-11-23T06:15:00Z", "2026-11-23T06:20:00Z");
  for (std::size_t i = 1; i < windows.size(); ++i) {
    assert_true(windows[i].start == windows[i - 1].end);
    assert_true(windows[i].end - windows[i].start == 300s);
  }
}

void TheLastWindowMayBeShorter(void**) {
  const auto windows = Planned("-11m", "-30s");
  assert_int_equal(windows.size(), 3);
  AssertWindow(windows[0], "2026-11-23T06:09:00Z", "2026-11-23T06:14:00Z");
  AssertWindow(windows[2], "2026-11-23T06:19:00Z", "2026-11-23T06:19:30Z");
}

/// time_limit is whole seconds: the start goes down, the end up, and never past now.
void TimesBecomeWholeSeconds(void**) {
  AssertWindow(Planned("1795414700.9", "1795414740.1")[0], "2026-11-23T06:18:20Z",
               "2026-11-23T06:19:01Z");
  const WallTime between = kNow + 700ms;
  AssertWindow(Planned("", "", 300s, between)[0], "2026-11-23T06:15:00Z", "2026-11-23T06:20:00Z");
  AssertWindow(Planned("-10s", "now", 300s, between)[0], "2026-11-23T06:19:50Z",
               "2026-11-23T06:20:00Z");
}

/// Nothing asked for is lost by rounding, whatever the fractions are.
void EveryAskedInstantUpToNowIsInAWindow(void**) {
  const WallTime now = kNow + 999999999ns;
  for (const char* start : {"1795414000.001", "1795414000.5", "1795414000.999", "1795414000"}) {
    for (const char* end : {"1795414500.001", "1795414799.999", "now", ""}) {
      const auto windows = Planned(start, end, 300s, now);
      const WallTime asked_start = ValueOf(ParseTime(start, now, "s"));
      const WallTime asked_end = *end == '\0' ? now : ValueOf(ParseTime(end, now, "e"));
      assert_true(windows.front().start <= asked_start);
      assert_true(windows.back().end >= std::min<WallTime>(asked_end, kNow));
      assert_true(windows.back().end <= now);
    }
  }
}

void AStartNotBeforeTheEndIsRefused(void**) {
  for (const char* start : {"now", "-60s", "2026-11-23T06:19:30Z"}) {
    AssertFails(PlanWindows(start, "-1m", 300s, kNow), Error::Kind::kUsage,
                "is not before end-time (2026-11-23T06:19:00Z); give an earlier start.");
  }
}

void TheFutureIsRefusedButForSkewedClocks(void**) {
  AssertFails(PlanWindows("", "2026-11-23T06:20:06Z", 300s, kNow), Error::Kind::kUsage,
              "end-time is 2026-11-23T06:20:06Z, which is in the future; a sample looks back: "
              "give an earlier time.");
  AssertWindow(Planned("", "2026-11-23T06:20:05Z")[0], "2026-11-23T06:15:00Z",
               "2026-11-23T06:20:00Z");
}

void MoreThanADayBackIsRefused(void**) {
  AssertFails(PlanWindows("-25h", "", 300s, kNow), Error::Kind::kUsage,
              "start-time (2026-11-22T05:20:00Z) is more than 24 hours ago, and Cloudflare keeps "
              "samples for 24 hours; give a later start.");
  AssertFails(PlanWindows("", "-25h", 300s, kNow), Error::Kind::kUsage, "more than 24 hours ago");
  AssertFails(PlanWindows("0", "", 300s, kNow), Error::Kind::kUsage, "more than 24 hours ago");
}

void AWholeDayIsAllowed(void**) {
  const auto windows = Planned("-24h", "");
  assert_int_equal(windows.size(), 288);
  AssertWindow(windows.front(), "2026-11-22T06:20:00Z", "2026-11-22T06:25:00Z");
  assert_int_equal(Planned("-1d", "now", 1s, kNow + 500ms).size(), 86400);
}

void BadTextsNameTheirOption(void**) {
  AssertFails(PlanWindows("soon", "", 300s, kNow), Error::Kind::kUsage, "start-time is \"soon\"");
  AssertFails(PlanWindows("", "later", 300s, kNow), Error::Kind::kUsage, "end-time is \"later\"");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TimesAreTakenInEverySpelling),
      cmocka_unit_test(OtherTextsAreRefusedWithTheSpellings),
      cmocka_unit_test(AgesCostNoWindowForAFractionOfASecond),
      cmocka_unit_test(TheDefaultIsOneWindowUpToNow),
      cmocka_unit_test(AnEndAloneLooksBackFromThere),
      cmocka_unit_test(ASpanBecomesWindowsThatShareTheirInstants),
      cmocka_unit_test(TheLastWindowMayBeShorter),
      cmocka_unit_test(TimesBecomeWholeSeconds),
      cmocka_unit_test(EveryAskedInstantUpToNowIsInAWindow),
      cmocka_unit_test(AStartNotBeforeTheEndIsRefused),
      cmocka_unit_test(TheFutureIsRefusedButForSkewedClocks),
      cmocka_unit_test(MoreThanADayBackIsRefused),
      cmocka_unit_test(AWholeDayIsAllowed),
      cmocka_unit_test(BadTextsNameTheirOption),
  };
  return cmocka_run_group_tests_name("window", tests, nullptr, nullptr);
}
