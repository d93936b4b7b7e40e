// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/rfc3339.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/emulator/text.h"

namespace cloudflare_emulator {

using std::chrono::floor;

Span Seconds(double seconds) {
  constexpr double kMost = 9.2e9;
  return Span(static_cast<std::int64_t>(std::clamp(seconds, -kMost, kMost) * 1e9));
}

std::string FormatRfc3339(Time time) {
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::microseconds>(time - day));
  return Text("%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
              static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
              static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
              static_cast<int>(clock.seconds().count()),
              static_cast<int>(clock.subseconds().count()));
}

namespace {

Span Fraction(std::string digits) {
  digits.resize(9, '0');
  return Span(std::stoll(digits));
}

}  // namespace

std::optional<Time> ParseRfc3339(std::string_view text) {
  constexpr char kShape[] =
      R"((\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))";
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) return std::nullopt;
  const auto match = MatchWhole(kShape, text);
  if (!match) return std::nullopt;
  const auto number = [&](std::size_t group) {
    return match->at(group).empty() ? 0 : std::stoi(match->at(group));
  };
  const std::chrono::year_month_day date(std::chrono::year(number(1)),
                                         std::chrono::month(static_cast<unsigned>(number(2))),
                                         std::chrono::day(static_cast<unsigned>(number(3))));
  const int hour = number(4);
  const int minute = number(5);
  const int second = std::min(number(6), 59);
  const int zone_hour = number(9);
  const int zone_minute = number(10);
  // Outside these years a 64-bit count of nanoseconds overflows.
  const bool countable =
      date.year() >= std::chrono::year(1700) && date.year() < std::chrono::year(2250);
  if (!date.ok() || !countable || hour > 23 || minute > 59 || number(6) > 60 || zone_hour > 23 ||
      zone_minute > 59) {
    return std::nullopt;
  }
  Time time = std::chrono::sys_days(date);
  time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  if (!match->at(7).empty()) time += Fraction(match->at(7));
  const auto zone = std::chrono::hours(zone_hour) + std::chrono::minutes(zone_minute);
  return match->at(8) == "-" ? time + zone : time - zone;
}

}  // namespace cloudflare_emulator
