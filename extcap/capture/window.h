// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::capture {

/// How far back Cloudflare keeps samples: "Must be within the last 24h" (offset_time).
inline constexpr Duration kSampleHistory = std::chrono::hours(24);

/// A stretch of time that one sample request covers, ends included as far as Cloudflare does.
struct Window {
  WallTime start;
  WallTime end;
};

/// Reads a time as users give it: RFC 3339, seconds since 1970 (decimals allowed), `now`, or an age
/// such as -90s, -30m, -2h, -1d. `name` is the option's, for the Error.
Result<WallTime> ParseTime(std::string_view text, WallTime now, std::string_view name);

/// The windows of a sample, oldest first, each at most `time_limit` long and sharing its last
/// instant with the next one's first. Empty texts mean the defaults: end = now, start = end less
/// the time limit. Times are whole seconds: the start is rounded down, the end up, but never past
/// now. Errors: a time that cannot be read, start not before end, over 24 hours back, in the
/// future.
Result<std::vector<Window>> PlanWindows(const std::string& start, const std::string& end,
                                        Duration time_limit, WallTime now);

/// The start of a live sample: a whole second, now if `start` is empty. Errors: a time that cannot
/// be read, over 24 hours back, in the future.
Result<WallTime> PlanLiveStart(const std::string& start, WallTime now);

}  // namespace cloudflaredump::capture
