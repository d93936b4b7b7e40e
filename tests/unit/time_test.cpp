// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/time.h"

#include <cstdlib>
#include <ctime>

#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

using namespace std::chrono_literals;

void Rfc3339IsReadAsTheApiWritesIt(void**) {
  assert_true(ParseRfc3339("2022-06-02T18:38:22.269047Z") == WallTime(1654195102s + 269047us));
  assert_true(ParseRfc3339("2022-06-02T18:38:22Z") == WallTime(1654195102s));
  assert_true(ParseRfc3339("2022-06-02T20:38:22+02:00") == WallTime(1654195102s));
  assert_true(ParseRfc3339("2022-06-02t18:38:22.5z") == WallTime(1654195102s + 500ms));
  assert_true(ParseRfc3339("2022-06-02T18:38:22.1234567899Z") ==
              WallTime(1654195102s + 123456789ns));
}

void OtherTextIsNoTime(void**) {
  for (const char* bad : {"", "now", "2022-06-02", "2022-06-02T18:38:22", "2022-13-02T18:38:22Z",
                          "2022-W22-4T18:38:22Z", "2022-06-02T18:38Z", "1654195102"}) {
    if (ParseRfc3339(bad).has_value()) fail_msg("%s was taken", bad);
  }
}

void TimesBeyondTheClockAreNone(void**) {
  for (const char* far : {"0001-01-01T00:00:00Z", "1677-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                          "2201-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"}) {
    assert_false(ParseRfc3339(far).has_value());
  }
  assert_true(ParseRfc3339("1970-01-01T00:00:00Z").has_value());
  assert_true(ParseRfc3339("2199-12-31T23:59:59.999999999Z").has_value());
}

void Rfc3339IsWrittenWithNeededDecimals(void**) {
  AssertText(FormatRfc3339(WallTime(1654195102s)), "2022-06-02T18:38:22Z");
  AssertText(FormatRfc3339(WallTime(1654195102s + 269047us)), "2022-06-02T18:38:22.269047Z");
  AssertText(FormatRfc3339(WallTime(1654195102s + 1ns)), "2022-06-02T18:38:22.000000001Z");
}

void SpansReadAsPeopleSayThem(void**) {
  AssertText(FormatSpan(42s), "42 s");
  AssertText(FormatSpan(300s), "5 min");
  AssertText(FormatSpan(310s), "5 min 10 s");
  AssertText(FormatSpan(24h), "24 h");
  AssertText(FormatSpan(125min), "2 h 5 min");
}

/// Sets the machine's time zone for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

std::string Local(std::string_view text) {
  // 2026-11-23T06:20:00Z is 07:20 in Berlin.
  const auto time = ParseLocalTime(text, WallTime(std::chrono::seconds(1795414800)));
  return time ? FormatRfc3339(*time) : "-";
}

void LocalTimesAreRead(void**) {
  const Zone zone("Europe/Berlin");
  AssertText(Local("03:10"), "2026-11-23T02:10:00Z");
  AssertText(Local("03:10:07"), "2026-11-23T02:10:07Z");
  AssertText(Local("23:50"), "2026-11-22T22:50:00Z");  // the last one that was
  AssertText(Local("yesterday 23:00"), "2026-11-22T22:00:00Z");
  AssertText(Local("today 03:10"), "2026-11-23T02:10:00Z");
  AssertText(Local("2026-11-20 03:10"), "2026-11-20T02:10:00Z");
  AssertText(Local("2026-07-20T03:10:09"), "2026-07-20T01:10:09Z");
  for (const char* const bad :
       {"", "3:10", "03:1", "25:00", "03:60", "03.10", "tomorrow 03:10", "2026-13-01 03:10",
        "2026-11-2003:10", "03:10 x", "yesterday", "9999-01-01 00:00", "0001-01-01 00:00"}) {
    AssertText(Local(bad), "-");
  }
}

void TimesAreShownInBothZones(void**) {
  const WallTime from(std::chrono::seconds(1795414800));
  const WallTime to = from + std::chrono::minutes(5);
  AssertText(FormatTimes(from, to), "06:20:00 to 06:25:00 UTC");
  AssertText(FormatMoment(from), "2026-11-23T06:20:00Z");
  AssertText(LocalTimes(from, to), "");
  const Zone zone("Europe/Berlin");
  AssertText(FormatTimes(from, to), "07:20:00 to 07:25:00 CET (06:20:00 to 06:25:00 UTC)");
  AssertText(FormatMoment(from), "2026-11-23T06:20:00Z (07:20:00 CET)");
  AssertText(LocalTimes(from, from + std::chrono::hours(20)),
             "2026-11-23 07:20:00 to 2026-11-24 03:20:00 CET");
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(Rfc3339IsReadAsTheApiWritesIt),
      cmocka_unit_test(OtherTextIsNoTime),
      cmocka_unit_test(TimesBeyondTheClockAreNone),
      cmocka_unit_test(Rfc3339IsWrittenWithNeededDecimals),
      cmocka_unit_test(LocalTimesAreRead),
      cmocka_unit_test(TimesAreShownInBothZones),
      cmocka_unit_test(SpansReadAsPeopleSayThem),
  };
  return cmocka_run_group_tests_name("time", tests, nullptr, nullptr);
}
