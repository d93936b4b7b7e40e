// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/rfc3339.h"

#include <algorithm>
#include <regex>

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

using Match = std::match_results<std::string_view::const_iterator>;

int Number(const Match& match, int group) {
  return match[group].matched ? std::stoi(match[group].str()) : 0;
}

Span Fraction(std::string digits) {
  digits.resize(9, '0');
  return Span(std::stoll(digits));
}

}  // namespace

std::optional<Time> ParseRfc3339(std::string_view text) {
  static const std::regex kShape(
      R"((\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))");
  constexpr std::size_t kLongest = 64;
  Match match;
  if (text.size() > kLongest || !std::regex_match(text.begin(), text.end(), match, kShape)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(
      std::chrono::year(Number(match, 1)),
      std::chrono::month(static_cast<unsigned>(Number(match, 2))),
      std::chrono::day(static_cast<unsigned>(Number(match, 3))));
  const int hour = Number(match, 4);
  const int minute = Number(match, 5);
  const int second = std::min(Number(match, 6), 59);
  const int zone_hour = Number(match, 9);
  const int zone_minute = Number(match, 10);
  // Outside these years a 64-bit count of nanoseconds overflows.
  const bool countable =
      date.year() >= std::chrono::year(1700) && date.year() < std::chrono::year(2250);
  if (!date.ok() || !countable || hour > 23 || minute > 59 || Number(match, 6) > 60 ||
      zone_hour > 23 || zone_minute > 59) {
    return std::nullopt;
  }
  Time time = std::chrono::sys_days(date);
  time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  if (match[7].matched) time += Fraction(match[7].str());
  const auto zone = std::chrono::hours(zone_hour) + std::chrono::minutes(zone_minute);
  return match[8].str() == "-" ? time + zone : time - zone;
}

}  // namespace cloudflare_emulator
