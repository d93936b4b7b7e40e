// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cloudflaredump {

using Duration = std::chrono::nanoseconds;

/// A moment on the wall clock: nanoseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// RFC 3339 in UTC, with as many decimals as needed, none for a whole second:
/// `2026-11-23T06:20:00Z`, `2026-11-23T06:20:00.269047Z`.
std::string FormatRfc3339(WallTime time);

/// Reads RFC 3339 with a zone; decimals to nanoseconds, further ones are dropped.
std::optional<WallTime> ParseRfc3339(std::string_view text);

/// "42 s", "3 min", "5 min 10 s", "2 h 5 min": a length of time as messages say it.
std::string FormatSpan(Duration span);

}  // namespace cloudflaredump
