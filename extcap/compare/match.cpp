// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace cloudflaredump::compare {
namespace {

/// Neighbors in a flow that are looked at for one packet.
constexpr std::size_t kMostLooks = 2000;
/// Of more equal packets than this it is not told which arrived.
constexpr std::size_t kMostEqual = 1000;
/// A packet that its identification tells apart is looked for within this.
constexpr std::int64_t kSureWithin = 2'000'000'000;
/// Above so many possible pairs the order alone decides.
constexpr std::size_t kMostCells = 1'000'000;

/// The cheapest pairing of expected[from, to) with seen[begin, end), written into `partner`.
void PairStretch(const std::vector<std::int64_t>& expected, std::size_t from, std::size_t to,
                 const std::vector<std::int64_t>& seen, std::size_t begin, std::size_t end,
                 std::int64_t close, std::vector<std::uint32_t>& partner) {
  const std::size_t n = to - from;
  const std::size_t m = end - begin;
  if (n * m > kMostCells) {
    // A flood of equal packets: which is which cannot be told, how many can.
    for (std::size_t i = from, j = begin; i < to && j < end;) {
      const std::int64_t distance = seen[j] - expected[i];
      if (std::abs(distance) <= close) {
        partner[i++] = static_cast<std::uint32_t>(j++);
      } else if (distance < 0) {
        ++j;
      } else {
        ++i;
      }
    }
    return;
  }
  // Needleman and Wunsch's alignment. cost[j] is that of the first i and the first j.
  enum : std::uint8_t { kPair, kSkipExpected, kSkipSeen };
  std::vector<std::uint8_t> steps((n + 1) * (m + 1));
  std::vector<double> cost(m + 1);
  std::vector<double> before(m + 1);
  for (std::size_t j = 0; j <= m; ++j) {
    before[j] = static_cast<double>(j);
    steps[j] = kSkipSeen;
  }
  for (std::size_t i = 1; i <= n; ++i) {
    cost[0] = static_cast<double>(i);
    steps[i * (m + 1)] = kSkipExpected;
    for (std::size_t j = 1; j <= m; ++j) {
      const double distance =
          static_cast<double>(std::abs(seen[begin + j - 1] - expected[from + i - 1]));
      const double pair = before[j - 1] + distance / static_cast<double>(close);
      const double skip_expected = before[j] + 1;
      const double skip_seen = cost[j - 1] + 1;
      std::uint8_t step = kPair;
      double least = pair;
      if (skip_seen < least) {
        least = skip_seen;
        step = kSkipSeen;
      }
      if (skip_expected < least) {
        least = skip_expected;
        step = kSkipExpected;
      }
      cost[j] = least;
      steps[i * (m + 1) + j] = step;
    }
    cost.swap(before);
  }
  for (std::size_t i = n, j = m; i > 0 && j > 0;) {
    const std::uint8_t step = steps[i * (m + 1) + j];
    if (step == kPair) partner[from + i - 1] = static_cast<std::uint32_t>(begin + j - 1);
    if (step != kSkipSeen) --i;
    if (step != kSkipExpected) --j;
  }
}

/// One chain of Cloudflare's side against the sightings of it at one point.
class ChainMatch {
 public:
  ChainMatch(const CloudSide& cloud, LocalSide& local, const Clock& clock, std::uint16_t file,
             std::vector<PacketResult>& results, std::vector<std::uint64_t>& points,
             MatchCounts& counts)
      : cloud_(cloud),
        local_(local),
        clock_(clock),
        file_(file),
        results_(results),
        points_(points),
        counts_(counts) {}

  void ReadChain(const Sighting& head) {
    chain_.clear();
    expected_.clear();
    for (std::uint32_t at = head.first; at != kNone; at = cloud_.NextInChain(head.slot, at)) {
      if (cloud_.packets()[at].copy) continue;
      chain_.push_back(at);
      expected_.push_back(clock_.Expected(cloud_.packets()[at].time));
    }
  }

  void Match(std::span<const Sighting> sightings) {
    // Copies of one packet count once, and first.
    originals_.clear();
    seen_.clear();
    for (std::size_t i = 0; i < sightings.size(); ++i) {
      const bool room = chain_.size() > 1;
      if (!room && !seen_.empty() && sightings[i].time - seen_.back() <= kCopyWithin) continue;
      originals_.push_back(static_cast<std::uint32_t>(i));
      seen_.push_back(sightings[i].time);
    }
    partner_.assign(chain_.size(), kNone);
    const bool alone = chain_.size() == 1 && seen_.size() == 1;
    if (alone) {
      // What no retransmission can be may come by a far longer way: data centers are far apart.
      const bool sure = clock_.pairs > 0 && cloud_.packets()[chain_[0]].told_apart;
      const std::int64_t late = seen_[0] - expected_[0];
      if (late >= -std::max(clock_.wide_before, sure ? kSureWithin : 0) &&
          late <= std::max(clock_.wide_after, sure ? kSureWithin : 0)) {
        partner_[0] = 0;
      } else if (clock_.pairs > 0) {
        counts_.strays.push_back({.packet = chain_[0], .late = late});
      }
    } else {
      PairInOrder(expected_, seen_, clock_.close, partner_);
    }
    if (!alone && !cloud_.sample()) PairTheRest();
    const bool unsure = chain_.size() > 1 && (clock_.pairs == 0 || chain_.size() > kMostEqual);
    for (const std::uint32_t packet : chain_) results_[packet].unsure |= unsure;
    taken_.assign(sightings.size(), false);
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (partner_[i] == kNone) continue;
      const std::uint32_t at = originals_[partner_[i]];
      taken_[at] = true;
      Note(chain_[i], sightings[at]);
    }
    for (std::size_t i = 0; i < sightings.size(); ++i) {
      if (!taken_[i]) NoteCopy(sightings[i]);
    }
  }

  void Note(std::uint32_t packet, const Sighting& sighting) {
    PacketResult& result = results_[packet];
    LocalPoint& point = local_.points[sighting.point];
    const bool counts = cloud_.packets()[packet].is_compared();
    point.matched += counts ? 1 : 0;
    if (counts && !points_.empty() && sighting.point < 64) {
      points_[packet] |= std::uint64_t{1} << sighting.point;
    }
    // One endpoint for a packet, however often it is seen.
    const bool first_here = result.copies == 0 || result.file != file_;
    if (counts && first_here && sighting.endpoint != kNoEndpoint) {
      ++local_.endpoints[sighting.endpoint].arrived;
    }
    if (!HasArrived(result.fate) || (result.file == file_ && sighting.time < result.local_time)) {
      result.local_time = sighting.time;
      result.frame = sighting.frame;
      result.file = file_;
    }
    result.fate = Fate::kArrived;
    result.fragments |= sighting.fragments;
    if (result.copies < std::numeric_limits<std::uint16_t>::max()) ++result.copies;
  }

 private:
  /// A full capture has every packet of Cloudflare's: what is left of equal ones belongs together,
  /// if only the delay allows.
  void PairTheRest() {
    used_.assign(seen_.size(), false);
    for (const std::uint32_t partner : partner_) {
      if (partner != kNone) used_[partner] = true;
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (partner_[i] != kNone) continue;
      while (next < seen_.size() &&
             (used_[next] || seen_[next] < expected_[i] - clock_.wide_before || IsCopy(next))) {
        ++next;
      }
      if (next == seen_.size()) return;
      if (seen_[next] > expected_[i] + clock_.wide_after) continue;
      used_[next] = true;
      partner_[i] = static_cast<std::uint32_t>(next);
    }
  }

  /// Whether a neighbor that has a partner is so near that this is a copy of it.
  bool IsCopy(std::size_t at) const {
    const auto near = [&](std::size_t other) {
      return used_[other] && std::abs(seen_[at] - seen_[other]) <= kCopyWithin;
    };
    return (at > 0 && near(at - 1)) || (at + 1 < seen_.size() && near(at + 1));
  }

  void NoteCopy(const Sighting& sighting) {
    const auto next = std::ranges::lower_bound(expected_, sighting.time);
    auto at = static_cast<std::size_t>(next - expected_.begin());
    if (at == expected_.size() ||
        (at > 0 && sighting.time - expected_[at - 1] < expected_[at] - sighting.time)) {
      --at;
    }
    PacketResult& result = results_[chain_[at]];
    const std::int64_t late = sighting.time - expected_[at];
    // A sample lacks most of the packets that local ones equal: only what is near is a copy.
    const bool far = cloud_.sample() && result.file == file_ &&
                     std::abs(sighting.time - result.local_time) > clock_.close;
    if (late < -clock_.wide_before || late > clock_.wide_after || result.copies == 0 || far) {
      result.repeated |= late > 0;
      return;
    }
    counts_.duplicates += cloud_.packets()[chain_[at]].is_compared() ? 1 : 0;
    if (result.copies < std::numeric_limits<std::uint16_t>::max()) ++result.copies;
  }

  const CloudSide& cloud_;
  LocalSide& local_;
  const Clock& clock_;
  std::uint16_t file_;
  std::vector<PacketResult>& results_;
  std::vector<std::uint64_t>& points_;
  MatchCounts& counts_;
  std::vector<std::uint32_t> chain_;
  std::vector<std::int64_t> expected_;
  std::vector<std::uint32_t> originals_;
  std::vector<std::int64_t> seen_;
  std::vector<std::uint32_t> partner_;
  std::vector<bool> taken_, used_;
};

void MatchPieces(const CloudSide& cloud, LocalSide& local, const Clock& clock, ChainMatch& match) {
  // Only the first of each piece: the fragments of a datagram pass more than one point.
  std::ranges::sort(local.piece_sightings, {},
                    [](const Sighting& s) { return std::tuple(s.first, s.time); });
  std::uint32_t last = kNone;
  for (const Sighting& sighting : local.piece_sightings) {
    if (sighting.first == last) continue;
    const std::int64_t late = sighting.time - clock.Expected(cloud.packets()[sighting.first].time);
    // The datagram is dated by its first fragment, which may be older.
    if (std::abs(late) > clock.wide_after + clock.wide_before) continue;
    last = sighting.first;
    match.Note(sighting.first, sighting);
  }
}

/// TCP bytes by their range, for what arrived inside of longer records.
class SegmentMatch {
 public:
  SegmentMatch(LocalSide& local, const Clock& clock) : local_(local), clock_(clock) {
    std::ranges::sort(local_.segments, {},
                      [](const Segment& s) { return std::tuple(s.flow, s.time); });
    std::ranges::sort(local_.acknowledgments, {},
                      [](const Acknowledgment& a) { return std::tuple(a.flow, a.time); });
  }

  bool IsEmpty() const { return local_.segments.empty() && local_.acknowledgments.empty(); }

  /// The longer record that `packet` arrived in; null if there is none.
  const Segment* FindMerged(const CloudPacket& packet) const {
    const std::int64_t expected = clock_.Expected(packet.time);
    const auto begin = std::ranges::lower_bound(
        local_.segments, std::tuple(packet.flow, expected - clock_.wide_before), {},
        [](const Segment& s) { return std::tuple(s.flow, s.time); });
    for (auto at = begin; at != local_.segments.end() && at->flow == packet.flow &&
                          at->time <= expected + clock_.wide_after;
         ++at) {
      const std::uint32_t into = packet.sequence - at->sequence;
      if (at->length > packet.payload_length && into <= at->length &&
          packet.payload_length <= at->length - into) {
        return &*at;
      }
    }
    return nullptr;
  }

  /// Whether the bytes were acknowledged soon after, though no local record has any of them.
  bool IsAcknowledged(const CloudPacket& packet) const {
    const std::int64_t expected = clock_.Expected(packet.time);
    constexpr std::int64_t kSoon = 1'000'000'000;
    constexpr std::int64_t kLongAgo = 60'000'000'000;
    std::size_t looked_at = 0;
    for (auto at = std::ranges::lower_bound(
             local_.segments, std::tuple(packet.flow, expected - kLongAgo), {},
             [](const Segment& s) { return std::tuple(s.flow, s.time); });
         at != local_.segments.end() && at->flow == packet.flow; ++at) {
      if (at->time > expected + kLongAgo) break;
      // So many that they cannot all be looked at: then nothing is proved.
      if (++looked_at > kMostLooks) return false;
      const auto apart = static_cast<std::int32_t>(at->sequence - packet.sequence);
      if (apart < static_cast<std::int64_t>(packet.payload_length) &&
          -std::int64_t{apart} < at->length) {
        return false;
      }
    }
    const auto begin = std::ranges::lower_bound(
        local_.acknowledgments, std::tuple(packet.flow, expected - clock_.wide_before), {},
        [](const Acknowledgment& a) { return std::tuple(a.flow, a.time); });
    for (auto at = begin; at != local_.acknowledgments.end() && at->flow == packet.flow &&
                          at->time <= expected + kSoon;
         ++at) {
      const std::uint32_t beyond = at->number - (packet.sequence + packet.payload_length);
      if (beyond < (1U << 30)) return true;
    }
    return false;
  }

 private:
  LocalSide& local_;
  const Clock& clock_;
};

/// Packets with the bytes of `packet` that are not missing: what was acknowledged may be theirs.
bool HasAnotherCopy(const CloudSide& cloud, const std::vector<std::vector<std::uint32_t>>& by_flow,
                    std::uint32_t packet, const std::vector<PacketResult>& results) {
  const CloudPacket& mine = cloud.packets()[packet];
  // Retransmissions are not far away.
  const std::vector<std::uint32_t>& flow = by_flow[mine.flow];
  const auto here = static_cast<std::size_t>(std::ranges::lower_bound(flow, packet) - flow.begin());
  const std::size_t end = std::min(flow.size(), here + kMostLooks);
  for (std::size_t at = here - std::min(here, kMostLooks); at < end; ++at) {
    const std::uint32_t other = flow[at];
    const CloudPacket& theirs = cloud.packets()[other];
    if (other == packet || theirs.payload_length == 0) continue;
    const auto apart = static_cast<std::int32_t>(theirs.sequence - mine.sequence);
    const bool overlaps = apart < static_cast<std::int64_t>(mine.payload_length) &&
                          -std::int64_t{apart} < theirs.payload_length;
    if (!overlaps) continue;
    // Of several that carried the bytes and are all missing, the last is the one that arrived.
    if (HasArrived(results[other].fate) || other > packet) return true;
  }
  return false;
}

void MatchSegments(const CloudSide& cloud, LocalSide& local, const Clock& clock, std::uint16_t file,
                   std::vector<PacketResult>& results, MatchCounts& counts) {
  const SegmentMatch segments(local, clock);
  if (segments.IsEmpty() || clock.pairs == 0) return;
  std::vector<std::vector<std::uint32_t>> by_flow(cloud.flows());
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < results.size(); ++i) {
    const CloudPacket& packet = cloud.packets()[i];
    if (packet.protocol != filter::kProtocolTcp || packet.piece || packet.payload_length == 0) {
      continue;
    }
    if (!local.acknowledgments.empty()) by_flow[packet.flow].push_back(i);
    if (HasArrived(results[i].fate) || packet.copy) continue;
    if (const Segment* segment = segments.FindMerged(packet)) {
      results[i].fate = Fate::kMerged;
      results[i].local_time = segment->time;
      results[i].frame = segment->frame;
      results[i].file = file;
      results[i].copies = 1;
      if (!packet.is_compared()) continue;
      ++local.points[segment->point].matched;
      if (segment->endpoint != kNoEndpoint) ++local.endpoints[segment->endpoint].arrived;
      ++counts.merged;
    } else {
      open.push_back(i);
    }
  }
  if (local.acknowledgments.empty()) return;
  for (const std::uint32_t i : open) {
    if (!segments.IsAcknowledged(cloud.packets()[i])) continue;
    if (HasAnotherCopy(cloud, by_flow, i, results)) continue;
    results[i].fate = Fate::kAcknowledged;
    results[i].file = file;
    counts.acknowledged += cloud.packets()[i].is_compared() ? 1 : 0;
  }
}

}  // namespace

void PairInOrder(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& seen,
                 std::int64_t close, std::vector<std::uint32_t>& partner) {
  // Stretches that cannot touch each other are paired apart. A pair beyond twice `close` costs more
  // than none.
  const std::int64_t reach = 2 * close;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() && j < seen.size()) {
    if (seen[j] < expected[i] - reach) {
      ++j;
      continue;
    }
    if (seen[j] > expected[i] + reach) {
      ++i;
      continue;
    }
    const std::size_t from = i;
    const std::size_t begin = j;
    std::int64_t expected_until = expected[i];
    std::int64_t seen_until = seen[j];
    for (bool grown = true; grown;) {
      grown = false;
      while (i < expected.size() && expected[i] <= seen_until + reach) {
        expected_until = expected[i++];
        grown = true;
      }
      while (j < seen.size() && seen[j] <= expected_until + reach) {
        seen_until = seen[j++];
        grown = true;
      }
    }
    PairStretch(expected, from, i, seen, begin, j, close, partner);
  }
}

MatchCounts MatchPackets(const CloudSide& cloud, LocalSide& local, const Clock& clock,
                         std::uint16_t file, std::vector<PacketResult>& results,
                         std::vector<std::uint64_t>& points) {
  MatchCounts counts;
  ChainMatch match(cloud, local, clock, file, results, points, counts);
  const Sighting* head = nullptr;
  std::span<const Sighting> group;
  for (std::size_t begin = 0; begin < local.sightings.size(); begin += group.size()) {
    group = OfOnePoint(local.sightings, begin);
    const Sighting& first = group.front();
    if (head == nullptr || head->first != first.first || head->slot != first.slot) {
      match.ReadChain(first);
      head = &first;
    }
    match.Match(group);
  }
  MatchPieces(cloud, local, clock, match);
  MatchSegments(cloud, local, clock, file, results, counts);
  return counts;
}

}  // namespace cloudflaredump::compare
