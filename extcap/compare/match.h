// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "extcap/compare/clock.h"

namespace cloudflaredump::compare {

/// What became of one packet that Cloudflare saw.
enum class Fate : std::uint8_t {
  kMissing,       ///< not seen at the routers, though every local file covered its time
  kArrived,       ///< seen
  kMerged,        ///< its bytes were seen in a longer record: receive offload
  kAcknowledged,  ///< its bytes were acknowledged, though the capture lacks them
  kNotCovered,    ///< a local file could not have seen it
  kEgress,        ///< its source is ours
  kTranslated,    ///< arrives under another address
  kFiltered,      ///< does not match the filter
  kCopy,          ///< Cloudflare's capture has it twice
};

inline bool HasArrived(Fate fate) {
  return fate == Fate::kArrived || fate == Fate::kMerged || fate == Fate::kAcknowledged;
}

/// The same with where it was seen first.
struct PacketResult {
  std::int64_t local_time = 0;
  std::uint32_t frame = 0;
  std::uint16_t copies = 0;  ///< local records of it, at all points
  std::uint16_t file = 0;
  Fate fate = Fate::kMissing;
  bool fragments = false;  ///< on either side, some of them or all
  bool unsure = false;     ///< one of many equal ones: which of them arrived cannot be told
  bool repeated = false;   ///< equal packets came too late to be this one
};

/// The only packet that equals one of Cloudflare's, too far from when that was expected.
struct Stray {
  std::uint32_t packet = 0;
  std::int64_t late = 0;  ///< early if negative
};

/// What one local file's matching counted, of packets that are compared; the strays are of all.
struct MatchCounts {
  std::uint64_t duplicates = 0;  ///< copies at one point
  std::uint64_t merged = 0;
  std::uint64_t acknowledged = 0;
  std::vector<Stray> strays = {};
};

/// Marks in `results`, one for each of Cloudflare's packets, those that `local` has; `points` gets
/// a bit for each point at which a compared packet was seen, if it is not empty.
MatchCounts MatchPackets(const CloudSide& cloud, LocalSide& local, const Clock& clock,
                         std::uint16_t file, std::vector<PacketResult>& results,
                         std::vector<std::uint64_t>& points);

/// Pairs equal packets in order of time at the least cost: a pair costs its distance from the
/// expected delay in units of `close`, a packet without a partner 1. `partner[i]` is the place in
/// `seen` of the partner of `expected[i]`, or kNone. Both are sorted.
void PairInOrder(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& seen,
                 std::int64_t close, std::vector<std::uint32_t>& partner);

}  // namespace cloudflaredump::compare
