// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "extcap/compare/local_side.h"

namespace cloudflaredump::compare {

inline constexpr double kLargestDrift = 500e-6;  ///< of any computer's clock, seconds a second

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

  // Arrivals are looked for around the typical one, in nanoseconds: closely where several packets
  // are equal, widely where only one can be meant. Both follow the spread of delays.
  std::int64_t close = 20'000'000;
  std::int64_t wide_before = 100'000'000, wide_after = 100'000'000;

  /// When a packet that Cloudflare saw at `time` is expected, on the local clock.
  std::int64_t Expected(std::int64_t time) const { return Fastest(time) + typical; }
  /// The same for one as fast as any.
  std::int64_t Fastest(std::int64_t time) const {
    return time + offset + static_cast<std::int64_t>(drift * static_cast<double>(time - origin));
  }
};

/// Estimates the clock of `local`. Robust against loss, reordering, copies and any offset.
Clock EstimateClock(const CloudSide& cloud, const LocalSide& local);

}  // namespace cloudflaredump::compare
