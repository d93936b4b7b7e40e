// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cloudflare_emulator {

using Span = std::chrono::nanoseconds;

/// A moment on the wall clock, UTC.
using Time = std::chrono::sys_time<Span>;

/// Seconds, with decimals, as a span; what does not fit in 292 years is cut to it.
Span Seconds(double seconds);

/// RFC 3339 in UTC with six decimals, as the API's real answers have it:
/// `2022-06-02T18:38:22.269047Z`.
std::string FormatRfc3339(Time time);

/// Reads an RFC 3339 date-time and nothing else of ISO 8601: a zone is a must. Decimals beyond
/// nanoseconds are dropped; a leap second counts as the second before it.
std::optional<Time> ParseRfc3339(std::string_view text);

}  // namespace cloudflare_emulator
