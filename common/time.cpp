// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/time.h"

#include <glib.h>

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

}  // namespace

std::string FormatRfc3339(WallTime time) {
  const auto whole = floor<seconds>(time);
  const DateTime utc(g_date_time_new_from_unix_utc(whole.time_since_epoch().count()));
  if (utc == nullptr) return "an impossible time";
  char* const raw = g_date_time_format(utc.get(), "%Y-%m-%dT%H:%M:%S");
  std::string text = raw;
  g_free(raw);
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
  if (time == nullptr) return std::nullopt;
  // WallTime reaches from 1677 to 2262; Go's "no time" is in the year 1.
  const seconds whole_seconds(g_date_time_to_unix(time.get()));
  constexpr seconds kFarthest = floor<seconds>(nanoseconds::max()) - seconds(1);
  if (whole_seconds > kFarthest || whole_seconds < -kFarthest) return std::nullopt;
  return WallTime(whole_seconds) + decimals;
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
