// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/time.h"

#include <glib.h>

#include <cstdio>
#include <memory>

#include "common/text.h"

namespace cloudflaredump {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct DateTimeUnref {
  void operator()(GDateTime* time) const { g_date_time_unref(time); }
};
using DateTime = std::unique_ptr<GDateTime, DateTimeUnref>;

/// The decimals of a second in `text` ("….269047Z") as nanoseconds, and `text` without them:
/// GDateTime keeps microseconds only.
nanoseconds TakeDecimals(std::string& text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string::npos) return nanoseconds(0);
  std::size_t end = dot + 1;
  std::int64_t value = 0;
  for (int digit = 0; end < text.size() && g_ascii_isdigit(text[end]); ++end, ++digit) {
    if (digit < 9) value = value * 10 + (text[end] - '0');
  }
  for (std::size_t digits = end - dot - 1; digits < 9; ++digits) value *= 10;
  text.erase(dot, end - dot);
  return nanoseconds(value);
}

gint64 Seconds(WallTime time) {
  return floor<seconds>(time).time_since_epoch().count();
}

/// `time` by strftime's letters, in the machine's time zone or in UTC.
std::string Written(WallTime time, const char* form, bool local) {
  const DateTime date(local ? g_date_time_new_from_unix_local(Seconds(time))
                            : g_date_time_new_from_unix_utc(Seconds(time)));
  if (date == nullptr) return "an impossible time";
  char* const raw = g_date_time_format(date.get(), form);
  std::string text = raw;
  g_free(raw);
  return text;
}

/// The whole seconds of `date`; nothing for a date that is none, or that MomentAt refuses.
std::optional<WallTime> MomentOf(const DateTime& date) {
  return date == nullptr ? std::nullopt : MomentAt(g_date_time_to_unix(date.get()));
}

bool IsUtc(WallTime time) {
  const DateTime date(g_date_time_new_from_unix_local(Seconds(time)));
  return date == nullptr || g_date_time_get_utc_offset(date.get()) == 0;
}

}  // namespace

std::optional<WallTime> MomentAt(std::int64_t unix_seconds) {
  constexpr std::int64_t kYear2200 = 7'258'118'400;
  if (unix_seconds < 0 || unix_seconds > kYear2200) return std::nullopt;
  return WallTime(seconds(unix_seconds));
}

std::string FormatRfc3339(WallTime time) {
  const auto whole = floor<seconds>(time);
  std::string text = Written(whole, "%Y-%m-%dT%H:%M:%S", false);
  const auto decimals = duration_cast<nanoseconds>(time - whole).count();
  if (decimals != 0) {
    std::string digits = Format("%09lld", static_cast<long long>(decimals));
    while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
    text += "." + digits;
  }
  return text + "Z";
}

std::optional<WallTime> ParseRfc3339(std::string_view text) {
  std::string whole(text);
  // g_date_time_new_from_iso8601 also takes forms that RFC 3339 does not have (week dates, no
  // seconds); the shape is checked here, the calendar there.
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (whole.size() <= kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char want = kShape[i];
    const char got = want == 'T' ? g_ascii_toupper(whole[i]) : whole[i];
    if (want == 'd' ? !g_ascii_isdigit(got) : got != want && !(want == 'T' && got == ' ')) {
      return std::nullopt;
    }
  }
  whole[10] = 'T';
  const nanoseconds decimals = TakeDecimals(whole);
  if (!whole.empty() && whole.back() == 'z') whole.back() = 'Z';
  const DateTime time(g_date_time_new_from_iso8601(whole.c_str(), nullptr));
  const auto moment = MomentOf(time);
  if (!moment) return std::nullopt;
  return *moment + decimals;
}

std::optional<WallTime> ParseLocalTime(std::string_view text, WallTime now) {
  const DateTime today(g_date_time_new_from_unix_local(Seconds(now)));
  if (today == nullptr) return std::nullopt;
  int year = g_date_time_get_year(today.get());
  int month = g_date_time_get_month(today.get());
  int day = g_date_time_get_day_of_month(today.get());
  std::string rest(text);
  bool dated = true;
  int days_ago = 0;
  int date[3] = {};
  int used = 0;
  if (std::sscanf(rest.c_str(), "%4d-%2d-%2d%n", &date[0], &date[1], &date[2], &used) == 3 &&
      used == 10 && rest.size() > 10 && (rest[10] == ' ' || rest[10] == 'T')) {
    year = date[0], month = date[1], day = date[2];
    rest.erase(0, 11);
  } else if (rest.starts_with("yesterday ")) {
    days_ago = 1;
    rest.erase(0, 10);
  } else if (rest.starts_with("today ")) {
    rest.erase(0, 6);
  } else {
    dated = false;
  }
  constexpr std::string_view kShape = "dd:dd:dd";
  if (rest.size() != 5 && rest.size() != 8) return std::nullopt;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool digit = g_ascii_isdigit(rest[i]);
    if (kShape[i] == 'd' ? !digit : rest[i] != ':') return std::nullopt;
  }
  const auto two = [&rest](std::size_t at) { return std::stoi(rest.substr(at, 2)); };
  const DateTime time(
      g_date_time_new_local(year, month, day, two(0), two(3), rest.size() == 8 ? two(6) : 0));
  if (time == nullptr) return std::nullopt;
  const auto earlier = [&time](int days) {
    return MomentOf(DateTime(g_date_time_add_days(time.get(), -days)));
  };
  const auto moment = earlier(days_ago);
  return dated || !moment || *moment <= now ? moment : earlier(1);
}

std::string LocalTimes(WallTime from, WallTime to) {
  if (IsUtc(from) && IsUtc(to)) return {};
  const bool days = Written(from, "%F", true) != Written(to, "%F", true);
  const char* const form = days ? "%F %T" : "%T";
  return Written(from, form, true) + " to " + Written(to, form, true) + " " +
         Written(to, "%Z", true);
}

std::string FormatTimes(WallTime from, WallTime to) {
  const bool days = Written(from, "%F", false) != Written(to, "%F", false);
  const char* const form = days ? "%F %T" : "%T";
  const std::string utc = Written(from, form, false) + " to " + Written(to, form, false) + " UTC";
  const std::string local = LocalTimes(from, to);
  return local.empty() ? utc : local + " (" + utc + ")";
}

std::string FormatMoment(WallTime time) {
  const std::string utc = FormatRfc3339(floor<seconds>(time));
  return IsUtc(time) ? utc : utc + " (" + Written(time, "%T %Z", true) + ")";
}

std::string FormatSpan(Duration span) {
  const auto total = std::chrono::round<seconds>(span).count();
  const auto two = [](long long big, const char* big_unit, long long small,
                      const char* small_unit) {
    return small == 0 ? Format("%lld %s", big, big_unit)
                      : Format("%lld %s %lld %s", big, big_unit, small, small_unit);
  };
  if (total < 60) return Format("%lld s", static_cast<long long>(total));
  if (total < 3600) return two(total / 60, "min", total % 60, "s");
  return two(total / 3600, "h", total % 3600 / 60, "min");
}

}  // namespace cloudflaredump
