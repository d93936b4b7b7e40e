// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/clock.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <tuple>

#include "common/text.h"
#include "common/time.h"

namespace cloudflaredump::compare {
namespace {

constexpr std::size_t kMostPairs = 200'000;
constexpr std::size_t kFewPairs = 10;
constexpr double kWindow = 0.25e9;         ///< of delays around the most frequent one
constexpr double kNarrowWindow = 0.005e9;  ///< the same where packets repeat
/// Below the least time after which TCP sends again (200 ms).
constexpr std::int64_t kLeastWide = 100'000'000;
constexpr double kLargestDrift = 500e-6;  ///< of any computer's clock
constexpr std::size_t kMostLevels = 16;

/// A packet of Cloudflare's and a local one that may be the same.
struct Pair {
  double time = 0;   ///< since the origin, nanoseconds
  double shift = 0;  ///< local less Cloudflare's time
};

struct Line {
  double at_origin = 0, slope = 0;
  double At(double time) const { return at_origin + slope * time; }
};

/// The value below which `part` of the sorted `values` lie.
double Quantile(const std::vector<double>& values, double part) {
  const double at = part * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (values[high] - values[low]) * (at - static_cast<double>(low));
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return Quantile(values, 0.5);
}

void Thin(std::vector<Pair>& pairs) {
  if (pairs.size() <= kMostPairs) return;
  const std::size_t step = pairs.size() / kMostPairs + 1;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pairs.size(); i += step) pairs[kept++] = pairs[i];
  pairs.resize(kept);
}

struct Candidates {
  std::vector<Pair> pairs;
  bool of_equal = false;  ///< several packets on either side may be meant
};

/// Pairs of packets that only one other equals; where these are few, of those that several do.
Candidates CollectPairs(const CloudSide& cloud, const LocalSide& local, std::int64_t origin) {
  constexpr std::size_t kMostEqual = 1000;
  constexpr std::size_t kMostProduct = 40'000;
  constexpr std::size_t kMostEqualPairs = 10'000'000;
  std::vector<Pair> unique;
  std::vector<Pair> equal;
  std::vector<std::int64_t> chain;
  const auto& all = local.sightings;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    const Sighting& head = all[begin];
    while (end < all.size() && all[end].first == head.first && all[end].slot == head.slot) ++end;
    chain.clear();
    for (std::uint32_t at = head.first; at != kNone && chain.size() <= kMostEqual;
         at = cloud.NextInChain(head.slot, at)) {
      if (!cloud.packets()[at].copy) chain.push_back(cloud.packets()[at].time);
    }
    const std::size_t count = end - begin;
    if (chain.size() > kMostEqual || chain.size() * count > kMostProduct) continue;
    if (equal.size() > kMostEqualPairs) continue;
    std::vector<Pair>& into = chain.size() * count <= 4 ? unique : equal;
    for (const std::int64_t time : chain) {
      for (std::size_t i = begin; i < end; ++i) {
        into.push_back(
            {static_cast<double>(time - origin), static_cast<double>(all[i].time - time)});
      }
    }
  }
  const bool few = unique.size() < kFewPairs;
  if (few) unique.insert(unique.end(), equal.begin(), equal.end());
  Thin(unique);
  return {.pairs = std::move(unique), .of_equal = few && !equal.empty()};
}

/// The middle of the stretch of `width` that holds the most of the sorted `values`, or of those
/// that hold nearly as many (`nearly` of 1) the nearest to zero.
double DensestMiddle(const std::vector<double>& values, double width, double nearly) {
  const auto each = [&](const auto& take) {
    for (std::size_t begin = 0, end = 0; begin < values.size(); ++begin) {
      while (end < values.size() && values[end] - values[begin] <= width) ++end;
      take(end - begin, values[begin + (end - begin) / 2]);
    }
  };
  std::size_t most = 0;
  each([&most](std::size_t count, double) { most = std::max(most, count); });
  // Of stretches that are nearly the same, the one that holds most is meant.
  std::size_t best = 0;
  double middle = 0;
  each([&](std::size_t count, double here) {
    if (static_cast<double>(count) < nearly * static_cast<double>(most)) return;
    const bool same = best > 0 && std::abs(here - middle) <= width;
    if (same ? count > best : best == 0 || std::abs(here) < std::abs(middle)) {
      best = count;
      middle = here;
    }
  });
  return middle;
}

std::vector<double> ShiftsOf(const std::vector<Pair>& pairs) {
  std::vector<double> shifts;
  shifts.reserve(pairs.size());
  for (const Pair& pair : pairs) shifts.push_back(pair.shift);
  return shifts;
}

/// What of the shifts `line` does not explain.
std::vector<double> RestsOf(const std::vector<Pair>& pairs, const Line& line) {
  std::vector<double> rests;
  rests.reserve(pairs.size());
  for (const Pair& pair : pairs) rests.push_back(pair.shift - line.At(pair.time));
  return rests;
}

/// A line through the medians of stretches of time (Theil and Sen's).
Line FitLine(const std::vector<Pair>& pairs) {
  Line line{.at_origin = Median(ShiftsOf(pairs))};
  if (pairs.size() < kFewPairs) return line;
  double first = pairs[0].time;
  double last = pairs[0].time;
  for (const Pair& pair : pairs) {
    first = std::min(first, pair.time);
    last = std::max(last, pair.time);
  }
  if (last - first < 1e9) return line;
  const std::size_t bins = std::clamp<std::size_t>(pairs.size() / 5, 2, 60);
  std::vector<std::vector<double>> times(bins);
  std::vector<std::vector<double>> values(bins);
  for (const Pair& pair : pairs) {
    const auto at = static_cast<std::size_t>((pair.time - first) / (last - first) *
                                             static_cast<double>(bins) * 0.999999);
    times[at].push_back(pair.time);
    values[at].push_back(pair.shift);
  }
  std::vector<Pair> points;
  for (std::size_t i = 0; i < bins; ++i) {
    if (!values[i].empty()) points.push_back({Median(times[i]), Median(values[i])});
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      if (points[j].time - points[i].time < 1e6) continue;
      slopes.push_back((points[j].shift - points[i].shift) / (points[j].time - points[i].time));
    }
  }
  if (slopes.empty()) return line;
  line.slope = std::clamp(Median(slopes), -kLargestDrift, kLargestDrift);
  line.at_origin += Median(RestsOf(pairs, line));
  return line;
}

std::vector<Pair> Near(const std::vector<Pair>& pairs, const Line& line, double width) {
  std::vector<Pair> near;
  for (const Pair& pair : pairs) {
    if (std::abs(pair.shift - line.At(pair.time)) <= width) near.push_back(pair);
  }
  return near;
}

/// By chain, point and time. They come nearly in order of time, and there may be millions: sorted
/// by counting first.
void SortSightings(std::vector<Sighting>& sightings, std::size_t packets) {
  std::vector<std::uint32_t> place(packets + 1);
  for (const Sighting& s : sightings) ++place[s.first + 1];
  for (std::size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  std::vector<Sighting> sorted(sightings.size());
  for (const Sighting& s : sightings) sorted[place[s.first]++] = s;
  sightings.swap(sorted);
  for (std::size_t begin = 0, end = 0; begin < sightings.size(); begin = end) {
    while (end < sightings.size() && sightings[end].first == sightings[begin].first) ++end;
    if (end - begin < 2) continue;
    const auto from = sightings.begin();
    std::sort(from + static_cast<std::ptrdiff_t>(begin), from + static_cast<std::ptrdiff_t>(end),
              [](const Sighting& a, const Sighting& b) {
                return std::tuple(a.slot, a.point, a.time, a.frame) <
                       std::tuple(b.slot, b.point, b.time, b.frame);
              });
  }
}

/// The standard error of the slope, from the spread of the rests.
double SlopeError(const std::vector<Pair>& pairs, double spread) {
  double mean = 0;
  for (const Pair& pair : pairs) mean += pair.time / static_cast<double>(pairs.size());
  double squares = 0;
  for (const Pair& pair : pairs) squares += (pair.time - mean) * (pair.time - mean);
  return squares > 0 ? 1.3 * spread / std::sqrt(squares) : 0;
}

/// A packet that is there once on either side, in order of Cloudflare's time.
struct SurePair {
  double time = 0;  ///< as Pair's
  double rest = 0;  ///< of its shift, without what the line explains
  std::uint64_t frame = 0;
  int level = kNoLevel;  ///< 0: the line's own

  static constexpr int kNoLevel = -1;
};

/// A sampled packet that nothing tells from its retransmission may have arrived as that: these are
/// left out unless `all_wanted`. None at all where fewer lie away from the line than a level has:
/// there may be millions of them.
std::vector<SurePair> CollectSure(const CloudSide& cloud, const LocalSide& local,
                                  std::int64_t origin, const Line& line, bool all_wanted) {
  const auto& all = local.sightings;
  const auto pair_at = [&](std::size_t i) -> std::optional<SurePair> {
    const auto is_of = [&](std::size_t other) {
      return all[other].first == all[i].first && all[other].slot == all[i].slot;
    };
    if ((i > 0 && is_of(i - 1)) || (i + 1 < all.size() && is_of(i + 1))) return std::nullopt;
    const CloudPacket& packet = cloud.packets()[all[i].first];
    if (cloud.NextInChain(all[i].slot, all[i].first) != kNone) return std::nullopt;
    if (!all_wanted && cloud.sample() && !packet.told_apart) return std::nullopt;
    const auto time = static_cast<double>(packet.time - origin);
    const double rest = static_cast<double>(all[i].time - packet.time) - line.At(time);
    const int level = std::abs(rest) <= kWindow ? 0 : SurePair::kNoLevel;
    return SurePair{.time = time, .rest = rest, .frame = all[i].frame, .level = level};
  };
  std::size_t away = 0;
  for (std::size_t i = 0; i < all.size() && away < kFewPairs; ++i) {
    const auto pair = pair_at(i);
    away += pair && pair->level == SurePair::kNoLevel ? 1 : 0;
  }
  std::vector<SurePair> sure;
  if (away < kFewPairs) return sure;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (const auto pair = pair_at(i)) sure.push_back(*pair);
  }
  return sure;
}

/// The stretch of the pairs, from the first to behind the last, that has most of the pairs with
/// `level` and fewest with other levels.
std::pair<std::size_t, std::size_t> StretchOf(const std::vector<SurePair>& sure, int level) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  std::int64_t most = 0;
  std::int64_t sum = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < sure.size(); ++i) {
    if (sure[i].level != SurePair::kNoLevel) sum += sure[i].level == level ? 1 : -1;
    if (sum <= 0) {
      sum = 0;
      begin = i + 1;
    } else if (sum > most) {
      most = sum;
      best = {begin, i + 1};
    }
  }
  return best;
}

/// Whether all packets of a stretch have the level, and nearly none elsewhere, by Cloudflare's time
/// and by the order of the local file alike: packets that were held up, or sent again by an
/// application, lie among others.
bool IsLevel(const std::vector<SurePair>& sure, int level,
             const std::pair<std::size_t, std::size_t>& stretch) {
  std::size_t inside = 0;
  std::size_t outside = 0;
  std::size_t others = 0;
  std::vector<std::uint64_t> frames;
  for (std::size_t i = 0; i < sure.size(); ++i) {
    const bool in = i >= stretch.first && i < stretch.second;
    if (sure[i].level == level) ++(in ? inside : outside);
    if (!in) continue;
    if (sure[i].level == level) frames.push_back(sure[i].frame);
    if (sure[i].level != level && sure[i].level != SurePair::kNoLevel) ++others;
  }
  if (inside < kFewPairs || outside * 10 > inside || others * 10 > inside) return false;
  const auto [first, last] = std::ranges::minmax(frames);
  const auto among = std::ranges::count_if(sure, [&, first = first, last = last](const auto& pair) {
    return pair.level != level && pair.level != SurePair::kNoLevel && pair.frame > first &&
           pair.frame < last;
  });
  return static_cast<std::size_t>(among) * 10 <= inside;
}

/// The levels of a clock that was set. `sure` get theirs.
std::vector<ClockLevel> FindLevels(std::vector<SurePair>& sure, std::int64_t origin) {
  struct Stretch {
    std::size_t begin = 0, end = 0;
    std::int64_t shift = 0;
  };
  std::vector<Stretch> stretches;
  for (int level = 1; level < static_cast<int>(kMostLevels); ++level) {
    std::vector<double> rests;
    for (const SurePair& pair : sure) {
      if (pair.level == SurePair::kNoLevel) rests.push_back(pair.rest);
    }
    if (rests.size() < kFewPairs) break;
    std::ranges::sort(rests);
    const double middle = DensestMiddle(rests, kWindow, 1);
    std::erase_if(rests, [middle](double rest) { return std::abs(rest - middle) > kWindow; });
    for (SurePair& pair : sure) {
      if (pair.level == SurePair::kNoLevel && std::abs(pair.rest - middle) <= kWindow) {
        pair.level = level;
      }
    }
    const auto stretch = StretchOf(sure, level);
    if (!IsLevel(sure, level, stretch)) break;
    stretches.push_back({.begin = stretch.first,
                         .end = stretch.second,
                         .shift = static_cast<std::int64_t>(Median(rests))});
  }
  std::ranges::sort(stretches, {}, &Stretch::begin);
  std::vector<ClockLevel> levels;
  // Nobody saw when it was set: in the middle between two packets.
  const auto between = [&](std::size_t next) {
    if (next == 0) return std::numeric_limits<std::int64_t>::min();
    return origin + static_cast<std::int64_t>((sure[next - 1].time + sure[next].time) / 2);
  };
  const auto add = [&levels](std::int64_t from, std::int64_t shift) {
    if (!levels.empty() && levels.back().from >= from) levels.pop_back();
    levels.push_back({.from = from, .shift = shift});
  };
  for (const Stretch& stretch : stretches) {
    if (levels.empty()) add(std::numeric_limits<std::int64_t>::min(), 0);
    add(between(stretch.begin), stretch.shift);
    if (stretch.end < sure.size()) add(between(stretch.end), 0);
  }
  return levels;
}

}  // namespace

std::string SettingsOfClock(const std::vector<ClockLevel>& levels) {
  std::vector<std::string> settings;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const std::int64_t by = levels[i].shift - levels[i - 1].shift;
    settings.push_back(Format("%s by %.3f s at %s", by < 0 ? "back" : "forward",
                              std::abs(static_cast<double>(by)) / 1e9,
                              FormatRfc3339(WallTime(Duration(levels[i].from))).c_str()));
  }
  return "set " + Listed(settings);
}

Clock EstimateClock(const CloudSide& cloud, LocalSide& local) {
  SortSightings(local.sightings, cloud.packets().size());
  Clock clock{.origin = cloud.first()};
  const auto [pairs, of_equal] = CollectPairs(cloud, local, clock.origin);
  if (pairs.empty()) return clock;
  std::vector<double> shifts = ShiftsOf(pairs);
  std::ranges::sort(shifts);
  const double span = static_cast<double>(cloud.last() - cloud.first());
  const double width = kWindow + 2 * 100e-6 * span;
  Line line{};
  std::vector<Pair> near;
  double window = kWindow;
  if (of_equal) {
    // Packets that repeat show one peak for each repetition: only a narrow look tells them apart,
    // and of peaks that a sample cannot tell apart the nearest one is meant.
    window = kNarrowWindow;
    line.at_origin = DensestMiddle(shifts, window, cloud.sample() ? 0.95 : 0.995);
    near = Near(pairs, line, window);
  } else {
    line.at_origin = DensestMiddle(shifts, width, 1);
    near = Near(pairs, line, width);
  }
  line = FitLine(near);
  // Twice more: the first look was through a wide window.
  for (int i = 0; i < 2; ++i) {
    near = Near(pairs, line, window);
    if (near.empty()) return clock;
    line = FitLine(near);
  }
  std::vector<double> rests = RestsOf(near, line);
  std::ranges::sort(rests);
  const double spread = (Quantile(rests, 0.84) - Quantile(rests, 0.16)) / 2;
  clock.drift_error = SlopeError(near, std::max(spread, 1000.0));
  if (line.slope != 0 && std::abs(line.slope) < 5 * clock.drift_error) {
    line = {.at_origin = Median(ShiftsOf(near))};
    rests = RestsOf(near, line);
    std::ranges::sort(rests);
  }
  clock.pairs = near.size();
  clock.drift = line.slope;
  const double low = Quantile(rests, rests.size() >= 100 ? 0.01 : 0.05);
  clock.typical = static_cast<std::int64_t>(-low);
  clock.offset = static_cast<std::int64_t>(line.at_origin + low);
  if (!of_equal) {
    std::vector<SurePair> sure = CollectSure(cloud, local, clock.origin, line, false);
    clock.levels = FindLevels(sure, clock.origin);
    if (clock.levels.empty() && cloud.sample()) {
      sure = CollectSure(cloud, local, clock.origin, line, true);
      clock.unsure_levels = FindLevels(sure, clock.origin);
    }
  }
  if (rests.size() < kFewPairs) return clock;
  const double before = -Quantile(rests, 0.05);
  const double after = Quantile(rests, 0.95);
  // With few pairs the spread itself is uncertain.
  const double doubt = rests.size() < 100 ? 2 : 1;
  clock.close = static_cast<std::int64_t>(300'000 + 3 * doubt * std::max(before, after));
  // From the middle half, as retransmissions of lost packets stand at the upper end.
  const auto wide = [doubt](double quarter, double most) {
    return std::max(kLeastWide,
                    static_cast<std::int64_t>(doubt * std::max(20 * quarter, 2 * most)));
  };
  clock.wide_before = wide(-Quantile(rests, 0.25), -Quantile(rests, 0.15));
  clock.wide_after = wide(Quantile(rests, 0.75), Quantile(rests, 0.85));
  return clock;
}

}  // namespace cloudflaredump::compare
