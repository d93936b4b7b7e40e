// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/clock_settings.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <span>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/clock.h"

namespace cloudflaredump::compare {
namespace {

/// NTP slews a clock that is wrong by less than 128 ms, and sets any other.
constexpr std::int64_t kLeastSetting = 100'000'000;
constexpr std::int64_t kMostApart = 100'000'000;  ///< packets of one setting are no further apart
constexpr std::int64_t kLongestLook = 10'000'000'000;
constexpr std::ptrdiff_t kNeighbors = 10;
constexpr std::ptrdiff_t kFewNeighbors = 5;
/// Pairs that are looked at in all; with more, as an odd file may need, nothing is told.
constexpr std::size_t kMostPairLooks = 20'000'000;

/// A packet that is there once on either side, and that nothing else can be.
struct SurePair {
  std::uint32_t frame = 0;
  std::int64_t time = 0;   ///< Cloudflare's
  std::int64_t shift = 0;  ///< local less Cloudflare's time
};
using Pairs = std::span<const SurePair>;

/// In the order of the local file.
std::vector<SurePair> CollectSure(const CloudSide& cloud, const LocalSide& local) {
  std::vector<SurePair> sure;
  const auto& all = local.sightings;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    const Sighting& first = all[begin];
    while (end < all.size() && all[end].first == first.first && all[end].slot == first.slot &&
           all[end].point == first.point) {
      ++end;
    }
    const CloudPacket& packet = cloud.packets()[first.first];
    if (!packet.told_apart || all[end - 1].time - first.time > kCopyWithin) continue;
    std::uint32_t next = cloud.NextInChain(first.slot, first.first);
    while (next != kNone && cloud.packets()[next].copy) next = cloud.NextInChain(first.slot, next);
    if (next != kNone) continue;
    sure.push_back({.frame = first.frame, .time = packet.time, .shift = first.time - packet.time});
  }
  std::ranges::sort(sure, {}, &SurePair::frame);
  return sure;
}

std::int64_t MedianShift(Pairs pairs) {
  std::vector<std::int64_t> shifts;
  shifts.reserve(pairs.size());
  for (const SurePair& pair : pairs) shifts.push_back(pair.shift);
  const auto middle = shifts.begin() + static_cast<std::ptrdiff_t>(shifts.size() / 2);
  std::ranges::nth_element(shifts, middle);
  return *middle;
}

struct Candidate {
  ClockSetting setting{};
  std::size_t at = 0;      ///< the first pair behind it
  std::size_t strays = 0;  ///< pairs around it that do not fit
};

/// `jump` as a setting before `pairs[at]`; of what comes before, only `pairs[from]` and on count.
/// Adds to `looks` how many pairs it looked at.
std::optional<Candidate> Judge(Pairs pairs, std::size_t from, std::size_t at, const TimeJump& jump,
                               std::size_t& looks) {
  Pairs before = pairs.subspan(from, at - from);
  Pairs after = pairs.subspan(at);
  if (std::ssize(before) < kFewNeighbors || std::ssize(after) < kFewNeighbors) return std::nullopt;
  const auto nearest = [](std::size_t size) {
    return std::min(size, static_cast<std::size_t>(kNeighbors));
  };
  const std::int64_t by = MedianShift(after.first(nearest(after.size()))) -
                          MedianShift(before.last(nearest(before.size())));
  if (std::abs(by) < kLeastSetting) return std::nullopt;
  const std::int64_t apart = std::min(std::abs(by) / 4, kMostApart);
  // What really passed between the two records: no less than nothing, nor more than between the
  // packets around them.
  const std::int64_t gap = std::abs(after.front().time - before.back().time);
  if (jump.by - by < -apart || jump.by - by > gap + apart) return std::nullopt;
  // A queue that was held up is empty again after as long.
  const std::int64_t look = std::min(std::abs(by), kLongestLook);
  std::size_t count = nearest(before.size());
  while (count < before.size() &&
         std::abs(before[before.size() - count - 1].time - before.back().time) <= look) {
    ++count;
  }
  before = before.last(count);
  count = nearest(after.size());
  while (count < after.size() && std::abs(after[count].time - after.front().time) <= look) ++count;
  after = after.first(count);
  looks += before.size() + after.size();
  const auto strays = [apart](Pairs side) {
    const std::int64_t middle = MedianShift(side);
    return static_cast<std::size_t>(std::ranges::count_if(
        side, [&](const SurePair& pair) { return std::abs(pair.shift - middle) > apart; }));
  };
  const std::size_t before_strays = strays(before);
  const std::size_t after_strays = strays(after);
  if (before_strays * 5 > before.size() || after_strays * 5 > after.size()) return std::nullopt;
  return Candidate{.setting = {.frame = jump.frame,
                               .at = after.front().time,
                               .by = MedianShift(after) - MedianShift(before)},
                   .at = at,
                   .strays = before_strays + after_strays};
}

/// Whether nearly all pairs agree once the settings are undone.
bool Explains(const std::vector<ClockSetting>& settings, std::vector<SurePair> pairs) {
  std::size_t next = 0;
  std::int64_t sum = 0;
  std::int64_t first = pairs.front().time;
  std::int64_t last = first;
  for (SurePair& pair : pairs) {
    while (next < settings.size() && settings[next].frame <= pair.frame) sum += settings[next++].by;
    pair.shift -= sum;
    first = std::min(first, pair.time);
    last = std::max(last, pair.time);
  }
  const std::int64_t middle = MedianShift(pairs);
  const std::int64_t drift =
      static_cast<std::int64_t>(kLargestDrift * static_cast<double>(last - first));
  const auto strays = std::ranges::count_if(pairs, [&](const SurePair& pair) {
    return std::abs(pair.shift - middle) > 2 * kMostApart + drift;
  });
  return strays * 20 <= std::ssize(pairs);
}

}  // namespace

std::vector<ClockSetting> FindClockSettings(const CloudSide& cloud, const LocalSide& local) {
  if (local.jumps.empty()) return {};
  const std::vector<SurePair> pairs = CollectSure(cloud, local);
  std::vector<Candidate> found;
  std::size_t looks = 0;
  for (const TimeJump& jump : local.jumps) {
    const auto at = static_cast<std::size_t>(
        std::ranges::lower_bound(pairs, jump.frame, {}, &SurePair::frame) - pairs.begin());
    // Of jumps close together, one is a setting.
    const bool rival = !found.empty() && at - found.back().at < std::size_t{kNeighbors};
    const std::size_t known = found.size() - (rival ? 1 : 0);
    const auto candidate = Judge(pairs, known == 0 ? 0 : found[known - 1].at, at, jump, looks);
    if (looks > kMostPairLooks) return {};
    if (!candidate || (rival && candidate->strays >= found.back().strays)) continue;
    found.resize(known);
    found.push_back(*candidate);
  }
  if (found.empty()) return {};
  std::vector<ClockSetting> settings;
  settings.reserve(found.size());
  for (const Candidate& candidate : found) settings.push_back(candidate.setting);
  if (!Explains(settings, pairs)) return {};
  return settings;
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
