// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// Clocks differ a little; this much in the future is taken for now.
constexpr Duration kSkew = 5s;

/// "-2h" as a length of time.
std::optional<Duration> ParseAge(std::string_view text) {
  if (!text.starts_with('-') || text.size() < 3) return std::nullopt;
  const auto number = ParseNumber(text.substr(1, text.size() - 2));
  constexpr std::uint64_t kMost = 100000;  // days that nanoseconds can count, and far too many
  if (!number || *number > kMost) return std::nullopt;
  const auto count = static_cast<std::int64_t>(*number);
  switch (text.back()) {
    case 's':
      return seconds(count);
    case 'm':
      return std::chrono::minutes(count);
    case 'h':
      return std::chrono::hours(count);
    case 'd':
      return std::chrono::hours(24 * count);
    default:
      return std::nullopt;
  }
}

/// "1795414800" or "1795414800.5".
std::optional<WallTime> ParseEpoch(std::string_view text) {
  const auto digits_or_dot = [](char c) { return g_ascii_isdigit(c) || c == '.'; };
  if (text.empty() || text.size() > 20 || !g_ascii_isdigit(text.front()) ||
      !std::ranges::all_of(text, digits_or_dot) || std::ranges::count(text, '.') > 1) {
    return std::nullopt;
  }
  const double value = g_ascii_strtod(std::string(text).c_str(), nullptr);
  constexpr double kLatest = 9.2e9;  // a WallTime holds it
  if (value > kLatest) return std::nullopt;
  return WallTime(std::chrono::milliseconds(std::llround(value * 1000)));
}

Error TooOld(WallTime start) {
  return {.what = Format("start-time (%s) is more than 24 hours ago, and Cloudflare keeps samples "
                         "for 24 hours",
                         FormatRfc3339(start).c_str()),
          .remedy = "give a later start",
          .kind = Error::Kind::kUsage};
}

Error InTheFuture(const char* option, WallTime time) {
  return {.what = Format("%s is %s, which is in the future", option,
                         FormatRfc3339(std::chrono::floor<seconds>(time)).c_str()),
          .remedy = "a sample looks back: give an earlier time",
          .kind = Error::Kind::kUsage};
}

}  // namespace

Result<WallTime> ParseTime(std::string_view text, WallTime now, std::string_view name) {
  const std::string_view trimmed = Trim(text);
  if (trimmed == "now") return now;
  if (const auto age = ParseAge(trimmed)) return now - *age;
  if (const auto epoch = ParseEpoch(trimmed)) return *epoch;
  if (const auto time = ParseRfc3339(trimmed)) return *time;
  if (const auto time = ParseLocalTime(trimmed, now)) return *time;
  return Fail(Format("%s is \"%s\", but a time is written 03:10, yesterday 23:00, 2026-11-23 06:20 "
                     "(local time), 2026-11-23T06:20:00Z, as seconds since 1970, as an age such as "
                     "-30m or -2h, or now",
                     std::string(name).c_str(), CleanLine(text, 60).c_str()),
              Error::Kind::kUsage);
}

Result<std::vector<Window>> PlanWindows(const std::string& start, const std::string& end,
                                        Duration time_limit, WallTime now) {
  // Ages count from the whole second: else -2h to -90m would be a second more than half an hour,
  // and cost a request more.
  const WallTime whole_now = std::chrono::floor<seconds>(now);
  const auto last = end.empty() ? now : ParseTime(end, whole_now, "end-time");
  if (!last) return Failure(last);
  if (*last > now + kSkew) return std::unexpected(InTheFuture("end-time", *last));
  const WallTime to = std::min<WallTime>(std::chrono::ceil<seconds>(*last), whole_now);
  const auto first = start.empty() ? to - time_limit : ParseTime(start, whole_now, "start-time");
  if (!first) return Failure(first);
  const WallTime from = std::chrono::floor<seconds>(*first);
  if (from >= to) {
    return Fail(Format("start-time (%s) is not before end-time (%s)", FormatRfc3339(from).c_str(),
                       FormatRfc3339(to).c_str()),
                "give an earlier start", Error::Kind::kUsage);
  }
  if (from < now - kSampleHistory - kSkew - (start.empty() ? time_limit : Duration(1s))) {
    return std::unexpected(TooOld(from));
  }
  std::vector<Window> windows;
  for (WallTime at = from; at < to; at += time_limit) {
    windows.push_back({at, std::min<WallTime>(at + time_limit, to)});
  }
  return windows;
}

Result<WallTime> PlanLiveStart(const std::string& start, WallTime now) {
  const WallTime whole_now = std::chrono::floor<seconds>(now);
  const auto first = start.empty() ? whole_now : ParseTime(start, whole_now, "start-time");
  if (!first) return Failure(first);
  if (*first > now + kSkew) return std::unexpected(InTheFuture("start-time", *first));
  const WallTime from = std::chrono::floor<seconds>(*first);
  if (from < now - kSampleHistory - kSkew - Duration(1s)) return std::unexpected(TooOld(from));
  return std::min<WallTime>(from, whole_now);
}

}  // namespace cloudflaredump::capture
