// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloudflaredump {

using Duration = std::chrono::nanoseconds;

/// A moment on the wall clock: nanoseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Seconds since 1970 as a moment; nothing outside of 1970 to 2200, so that no difference of two
/// moments overflows, whatever a server says. Go's "no time" is in the year 1.
std::optional<WallTime> MomentAt(std::int64_t unix_seconds);

/// RFC 3339 in UTC, with as many decimals as needed, none for a whole second:
/// `2026-11-23T06:20:00Z`, `2026-11-23T06:20:00.269047Z`.
std::string FormatRfc3339(WallTime time);

/// Reads RFC 3339 with a zone; decimals to nanoseconds, further ones are dropped. Nothing
/// for what MomentAt refuses.
std::optional<WallTime> ParseRfc3339(std::string_view text);

/// Reads a time of the day in the machine's time zone (TZ), as people write it: `03:10`, the last
/// one before `now`; `yesterday 23:00`; `2026-11-27 03:10`. Seconds may follow.
std::optional<WallTime> ParseLocalTime(std::string_view text, WallTime now);

/// A span in the machine's time zone, "03:10:00 to 03:15:00 CET", with the days where they differ;
/// empty where that zone is UTC.
std::string LocalTimes(WallTime from, WallTime to);

/// A span as people read it, in the machine's time zone and in UTC: "03:10:00 to 03:15:00 CET
/// (02:10:00 to 02:15:00 UTC)"; only UTC where that is the zone.
std::string FormatTimes(WallTime from, WallTime to);

/// A moment as RFC 3339 to the second, with the local time behind it where the zone is not UTC:
/// "2026-11-27T02:10:05Z (03:10:05 CET)".
std::string FormatMoment(WallTime time);

/// "42 s", "3 min", "5 min 10 s", "2 h 5 min": a length of time as messages say it.
std::string FormatSpan(Duration span);

}  // namespace cloudflaredump
