// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/clock_settings.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <optional>
#include <ranges>
#include <span>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/clock.h"

namespace cloudflaredump::compare {
namespace {

/// NTP slews a clock that is wrong by less than 128 ms, and sets any other.
constexpr std::int64_t kLeastSetting = 90'000'000;
/// Packets that come together share their fate, and have one vote: of so long, nanoseconds by the
/// local clock. (By Cloudflare's, a walk back meets those of far data centers first.)
constexpr std::int64_t kVoteTime = 50'000'000;
constexpr std::size_t kNeighbors = 20;
constexpr std::size_t kFewVotes = 5;
constexpr std::int64_t kPeak = 50'000'000;  ///< differences this close are one
/// Pairs that are looked at in all; with more, as an odd file may need, nothing is told.
constexpr std::size_t kMostPairLooks = 50'000'000;

/// A packet that is there once on either side.
struct LonePair {
  std::uint32_t frame = 0;
  bool sure = false;       ///< nothing else can be it
  std::int64_t time = 0;   ///< Cloudflare's
  std::int64_t shift = 0;  ///< local less Cloudflare's time
};
using LonePairs = std::span<const LonePair>;

/// In the order of the local file.
std::vector<LonePair> CollectPairsByFrame(const CloudSide& cloud, const LocalSide& local) {
  std::vector<LonePair> pairs;
  std::span<const Sighting> group;
  for (std::size_t begin = 0; begin < local.sightings.size(); begin += group.size()) {
    group = OfOnePoint(local.sightings, begin);
    const Sighting& first = group.front();
    const CloudPacket& packet = cloud.packets()[first.first];
    if (group.back().time - first.time > kCopyWithin) continue;
    std::uint32_t next = cloud.NextInChain(first.slot, first.first);
    while (next != kNone && cloud.packets()[next].copy) next = cloud.NextInChain(first.slot, next);
    if (next != kNone) continue;
    pairs.push_back({.frame = first.frame,
                     .sure = packet.told_apart,
                     .time = packet.time,
                     .shift = first.time - packet.time});
  }
  std::ranges::sort(pairs, {}, &LonePair::frame);
  return pairs;
}

std::size_t PlaceOf(LonePairs pairs, std::uint32_t frame) {
  return static_cast<std::size_t>(std::ranges::lower_bound(pairs, frame, {}, &LonePair::frame) -
                                  pairs.begin());
}

std::int64_t Median(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// The shifts on one side of a jump, one for each time, the nearest first.
using Votes = std::vector<std::int64_t>;

/// Those of a jump, and by how much they differ.
struct Sides {
  Votes before, after;
  std::int64_t by = 0;
};

/// At least `least`, if there are so many, and as many as come within `span`.
template <class Side>
Votes VotesOf(const Side& side, std::size_t least, std::int64_t span, std::size_t& looks) {
  Votes votes;
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (const LonePair& pair : side) {
    ++looks;
    const std::int64_t time = pair.time + pair.shift;
    if (!votes.empty() && std::abs(time - last) < kVoteTime) continue;
    if (votes.size() >= least && std::abs(time - first) > span) break;
    last = time;
    if (votes.empty()) first = last;
    votes.push_back(pair.shift);
  }
  return votes;
}
auto Backwards(LonePairs pairs) {
  return std::views::reverse(pairs);
}

/// By how much the nearest votes differ where that is clearest: they may come from data centers
/// that are far apart.
std::int64_t Difference(const Votes& before, const Votes& after) {
  constexpr std::size_t kMost = 20;
  std::vector<std::int64_t> differences;
  differences.reserve(kMost * kMost);
  for (std::size_t i = 0; i < std::min(before.size(), kMost); ++i) {
    for (std::size_t j = 0; j < std::min(after.size(), kMost); ++j) {
      differences.push_back(after[j] - before[i]);
    }
  }
  std::ranges::sort(differences);
  std::size_t most = 0;
  std::size_t from = 0;
  for (std::size_t begin = 0, end = 0; begin < differences.size(); ++begin) {
    while (end < differences.size() && differences[end] - differences[begin] <= kPeak) ++end;
    if (end - begin <= most) continue;
    most = end - begin;
    from = begin;
  }
  return differences[from + most / 2];
}

/// Where most of the votes lie.
struct Range {
  std::int64_t low = 0, high = 0;
  std::int64_t Width() const { return high - low; }
};

Range RangeOf(Votes votes) {
  std::ranges::sort(votes);
  const std::size_t edge = votes.size() / 10;
  return {.low = votes[edge], .high = votes[votes.size() - 1 - edge]};
}

std::size_t CountWithin(const Votes& votes, std::int64_t by, const Range& range,
                        std::int64_t apart) {
  return static_cast<std::size_t>(std::ranges::count_if(votes, [&](std::int64_t vote) {
    return vote + by >= range.low - apart && vote + by <= range.high + apart;
  }));
}

/// Whether `by` makes the votes of both sides the same, and nothing less does. A queue that was
/// held up is empty again after as long.
bool Agree(const Votes& before, const Votes& after, std::int64_t by) {
  const std::int64_t apart = std::abs(by) / 4;
  const Range range = RangeOf(before);
  const Range range_after = RangeOf(after);
  if (std::abs(by) < std::max(range.Width(), range_after.Width())) return false;
  return CountWithin(after, -by, range, apart) * 5 >= after.size() * 4 &&
         CountWithin(before, by, range_after, apart) * 5 >= before.size() * 4 &&
         CountWithin(after, 0, range, apart) * 3 < after.size() * 2;
}

class SettingFinder {
 public:
  SettingFinder(std::vector<LonePair> pairs, std::span<const TimeJump> jumps)
      : all_(std::move(pairs)), jumps_(jumps) {
    std::ranges::copy_if(all_, std::back_inserter(sure_), &LonePair::sure);
  }

  std::vector<ClockSetting> Find() {
    for (std::size_t at = kFewVotes; at + kFewVotes <= sure_.size(); ++at) LookAt(at);
    std::vector<ClockSetting> settings;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (auto setting = Confirm(i)) settings.push_back(*setting);
    }
    if (looks_ > kMostPairLooks || !Explains(settings)) return {};
    return settings;
  }

 private:
  /// What the nearest packets show.
  struct Candidate {
    ClockSetting setting{};
    std::size_t at = 0;      ///< the first of the sure pairs behind it
    std::size_t strays = 0;  ///< votes that are nearer to the other side's
  };

  /// Finds a candidate among the jumps before the sure pair `at`.
  void LookAt(std::size_t at) {
    const auto by_frame = [this](std::uint32_t frame) {
      return std::ranges::upper_bound(jumps_, frame, {}, &TimeJump::frame) - jumps_.begin();
    };
    const auto first = by_frame(sure_[at - 1].frame);
    const auto count = by_frame(sure_[at].frame) - first;
    if (count == 0 || looks_ > kMostPairLooks) return;
    // Of candidates close together, one is a setting.
    const LonePairs sure = sure_;
    const bool rival =
        !found_.empty() &&
        VotesOf(sure.subspan(found_.back().at, at - found_.back().at), kFewVotes, 0, looks_)
                .size() < kFewVotes;
    const std::size_t known = found_.size() - (rival ? 1 : 0);
    const std::size_t from = known == 0 ? 0 : found_[known - 1].at;
    const auto nearest = Nearest(from, at);
    if (!nearest) return;
    const auto& [before, after, by] = *nearest;
    const auto is_after = [by = by, middle = Median(before) + by / 2](std::int64_t shift) {
      return by > 0 ? shift > middle : shift < middle;
    };
    const std::size_t strays = static_cast<std::size_t>(std::ranges::count_if(before, is_after)) +
                               after.size() -
                               static_cast<std::size_t>(std::ranges::count_if(after, is_after));
    if (rival && strays >= found_.back().strays) return;
    const Range range = RangeOf(before);
    const std::int64_t apart = std::min(std::abs(by) / 4, kLeastSetting) + range.Width();
    const TimeJump* const jump =
        BestJump(jumps_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                 by, apart, is_after);
    if (jump == nullptr) return;
    found_.resize(known);
    found_.push_back(
        {.setting = {.frame = jump->frame, .at = 0, .by = by}, .at = at, .strays = strays});
  }

  /// The nearest sure votes from `from` to `at` and behind it, if they agree on a setting.
  std::optional<Sides> Nearest(std::size_t from, std::size_t at) {
    const LonePairs sure = sure_;
    // Among fewer there may be no other setting.
    for (const std::size_t least : {kNeighbors, kNeighbors / 2}) {
      Sides sides{.before = VotesOf(Backwards(sure.subspan(from, at - from)), least, 0, looks_),
                  .after = VotesOf(sure.subspan(at), least, 0, looks_)};
      if (sides.before.size() < kFewVotes || sides.after.size() < kFewVotes) return std::nullopt;
      sides.by = Difference(sides.before, sides.after);
      if (std::abs(sides.by) < kLeastSetting) continue;
      if (Agree(sides.before, sides.after, sides.by)) return sides;
    }
    return std::nullopt;
  }

  /// The one that has the fewest packets on the wrong side, of those between whose records as much
  /// time can have passed; null if there is none.
  template <class IsAfter>
  const TimeJump* BestJump(std::span<const TimeJump> jumps, std::int64_t by, std::int64_t apart,
                           const IsAfter& is_after) {
    const LonePairs all = all_;
    const std::size_t begin = PlaceOf(all, jumps.front().frame);
    const std::size_t end = PlaceOf(all, jumps.back().frame);
    std::size_t wrong = 0;
    for (std::size_t i = begin; i < end; ++i) wrong += is_after(all[i].shift) ? 0 : 1;
    const TimeJump* best = nullptr;
    std::pair<std::size_t, std::int64_t> least{};
    std::size_t next = begin;
    for (const TimeJump& jump : jumps) {
      for (; next < end && all[next].frame < jump.frame; ++next) {
        wrong = is_after(all[next].shift) ? wrong + 1 : wrong - 1;
      }
      const std::int64_t passed = jump.by - by;
      const std::int64_t gap = std::abs(all[next].time - all[next - 1].time);
      if (passed < -apart || passed > gap + apart) continue;
      const std::pair cost(wrong, std::abs(passed));
      if (best != nullptr && cost >= least) continue;
      best = &jump;
      least = cost;
    }
    looks_ += end - begin + jumps.size();
    return best;
  }

  /// The candidate with its time, and its size by more packets; nothing if these speak against it.
  std::optional<ClockSetting> Confirm(std::size_t number) {
    ClockSetting setting = found_[number].setting;
    const std::int64_t by = setting.by;
    const std::uint32_t from = number == 0 ? 0 : found_[number - 1].setting.frame;
    const std::uint32_t to = number + 1 == found_.size() ? std::numeric_limits<std::uint32_t>::max()
                                                         : found_[number + 1].setting.frame;
    const auto sides = [&](LonePairs pairs) {
      const std::size_t begin = PlaceOf(pairs, from);
      const std::size_t at = PlaceOf(pairs, setting.frame);
      const std::size_t end = PlaceOf(pairs, to);
      return std::pair(
          VotesOf(Backwards(pairs.subspan(begin, at - begin)), kNeighbors, std::abs(by), looks_),
          VotesOf(pairs.subspan(at, end - at), kNeighbors, std::abs(by), looks_));
    };
    const auto [before, after] = sides(sure_);
    if (before.size() < kFewVotes || after.size() < kFewVotes || !Agree(before, after, by)) {
      return std::nullopt;
    }
    const auto [all_before, all_after] = sides(all_);
    if (!Agree(all_before, all_after, by)) return std::nullopt;
    setting.at = all_[PlaceOf(all_, setting.frame)].time;
    setting.by = Difference(before, after);
    spread_ = std::max(spread_, RangeOf(before).Width());
    return setting;
  }

  /// Whether nearly all agree, over all of the time, once the settings are undone.
  bool Explains(const std::vector<ClockSetting>& settings) const {
    if (settings.empty()) return false;
    std::size_t next = 0;
    std::int64_t sum = 0;
    Votes votes;
    std::int64_t last = 0;
    const auto [first, end] = std::ranges::minmax(sure_, {}, &LonePair::time);
    const std::int64_t each = std::max(kVoteTime, (end.time - first.time) / 200);
    for (const LonePair& pair : sure_) {
      while (next < settings.size() && settings[next].frame <= pair.frame) {
        sum += settings[next++].by;
      }
      const std::int64_t time = pair.time + pair.shift;
      if (!votes.empty() && std::abs(time - last) < each) continue;
      last = time;
      votes.push_back(pair.shift - sum);
    }
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const ClockSetting& setting : settings) least = std::min(least, std::abs(setting.by));
    const std::int64_t apart =
        least / 2 + spread_ +
        static_cast<std::int64_t>(kLargestDrift * static_cast<double>(end.time - first.time));
    const std::int64_t middle = Median(votes);
    const auto strays =
        votes.size() - CountWithin(votes, 0, {.low = middle, .high = middle}, apart);
    return strays * 10 <= votes.size();
  }

  const std::vector<LonePair> all_;
  std::vector<LonePair> sure_;
  const std::span<const TimeJump> jumps_;
  std::vector<Candidate> found_;
  std::int64_t spread_ = 0;  ///< of the delays around what was confirmed
  std::size_t looks_ = 0;
};

}  // namespace

std::vector<ClockSetting> FindClockSettings(const CloudSide& cloud, const LocalSide& local) {
  if (local.jumps.empty()) return {};
  return SettingFinder(CollectPairsByFrame(cloud, local), local.jumps).Find();
}

std::string SettingsOfClock(const std::vector<ClockSetting>& settings) {
  std::vector<std::string> words;
  words.reserve(settings.size());
  for (const ClockSetting& setting : settings) {
    words.push_back(Format("%s by %.3f s at %s", setting.by < 0 ? "back" : "forward",
                           std::abs(static_cast<double>(setting.by)) / 1e9,
                           FormatRfc3339(WallTime(Duration(setting.at))).c_str()));
  }
  return "set " + Listed(words);
}

}  // namespace cloudflaredump::compare
