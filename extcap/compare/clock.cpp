// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/clock.h"

#include <algorithm>
#include <cmath>

namespace cloudflaredump::compare {
namespace {

/// By how much it is not known by how much a clock was set, nanoseconds.
constexpr double kSettingError = 1e6;
constexpr std::size_t kMostPairs = 200'000;
constexpr std::size_t kFewPairs = 10;
constexpr double kWindow = 0.25e9;         ///< of delays around the most frequent one
constexpr double kNarrowWindow = 0.005e9;  ///< the same where packets repeat
/// Below the least time after which TCP sends again (200 ms).
constexpr std::int64_t kLeastWide = 100'000'000;

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

/// The standard error of the slope, from the spread of the rests.
double SlopeError(const std::vector<Pair>& pairs, double spread) {
  double mean = 0;
  for (const Pair& pair : pairs) mean += pair.time / static_cast<double>(pairs.size());
  double squares = 0;
  for (const Pair& pair : pairs) squares += (pair.time - mean) * (pair.time - mean);
  return squares > 0 ? 1.3 * spread / std::sqrt(squares) : 0;
}

}  // namespace

Clock EstimateClock(const CloudSide& cloud, const LocalSide& local) {
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
  clock.drift_error =
      SlopeError(near, std::max(spread, 1000.0)) +
      static_cast<double>(local.settings.size()) * kSettingError / std::max(span, 1.0);
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
