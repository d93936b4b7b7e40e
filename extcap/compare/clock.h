// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "extcap/compare/local_side.h"

namespace cloudflaredump::compare {

/// What a clock that was set while it ran showed beyond what it would have shown otherwise.
struct ClockLevel {
  std::int64_t from = 0;  ///< Cloudflare's time, until that of the next level
  std::int64_t shift = 0;
};

/// How a local file's clock runs against Cloudflare's, estimated from the packets that both have.
struct Clock {
  std::int64_t origin = 0;  ///< Cloudflare's time at which `offset` holds
  /// Nanoseconds; positive: the local clock is ahead. The journey of the fastest packets is in it:
  /// the two cannot be told apart.
  std::int64_t offset = 0;
  double drift = 0;          ///< seconds a second; 0 where none can be measured
  double drift_error = 0;    ///< its standard error; 0 if unknown
  std::int64_t typical = 0;  ///< what a packet in the middle takes beyond the fastest
  std::uint64_t pairs = 0;   ///< estimated from so many packets; 0: nothing is known
  /// In order of time, the first from ever on; empty if the clock was not set.
  std::vector<ClockLevel> levels = {};
  /// The same where packets that arrived late would look alike; not used.
  std::vector<ClockLevel> unsure_levels = {};

  // Arrivals are looked for around the typical one, in nanoseconds: closely where several packets
  // are equal, widely where only one can be meant. Both follow the spread of delays.
  std::int64_t close = 20'000'000;
  std::int64_t wide_before = 100'000'000, wide_after = 100'000'000;

  /// When a packet that Cloudflare saw at `time` is expected, on the local clock.
  std::int64_t Expected(std::int64_t time) const { return Fastest(time) + typical; }
  /// The same for one as fast as any.
  std::int64_t Fastest(std::int64_t time) const {
    return time + offset + static_cast<std::int64_t>(drift * static_cast<double>(time - origin)) +
           ShiftAt(time);
  }
  std::int64_t ShiftAt(std::int64_t time) const {
    const auto next = std::ranges::upper_bound(levels, time, {}, &ClockLevel::from);
    return next == levels.begin() ? 0 : std::prev(next)->shift;
  }
};

/// "set forward by 0.500 s at 2026-11-23T06:20:00Z", each time that it was set; `levels` has two or
/// more.
std::string SettingsOfClock(const std::vector<ClockLevel>& levels);

/// Estimates the clock of `local`, whose sightings it sorts by chain, point and time. Robust
/// against loss, reordering, copies, any offset, and a clock that is set in between.
Clock EstimateClock(const CloudSide& cloud, LocalSide& local);

}  // namespace cloudflaredump::compare
