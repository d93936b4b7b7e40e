// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cmath>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/causes.h"

namespace cloudflaredump::compare {
namespace {

std::string TimeText(std::int64_t time) {
  // To the microsecond.
  return FormatRfc3339(WallTime(Duration(time / 1000 * 1000)));
}

struct Stretch {
  std::int64_t begin = 0, end = 0;
  Counts counts{};
  double gain = 0;
};

/// The stretch of at most `most` bins between `from` and `to` that explains most.
Stretch BestStretch(const Losses& losses, std::int64_t from, std::int64_t width, std::size_t bins,
                    std::size_t most) {
  std::vector<Counts> counts(bins);
  for (const std::uint32_t i : losses.packets()) {
    const std::int64_t at = losses.At(i).time - from;
    if (at < 0 || at / width >= static_cast<std::int64_t>(bins)) continue;
    counts[static_cast<std::size_t>(at / width)].Add(losses.IsMissing(i));
  }
  Stretch best;
  for (std::size_t begin = 0; begin < bins; ++begin) {
    if (counts[begin].missing == 0) continue;
    Counts some;
    for (std::size_t end = begin; end < std::min(bins, begin + most); ++end) {
      some += counts[end];
      if (counts[end].missing == 0 || some.all == losses.all().all) continue;
      const double gain = Gain(losses.all(), some);
      if (gain <= best.gain || some.Rate() < 2 * losses.all().Without(some).Rate()) continue;
      best = {.begin = from + width * static_cast<std::int64_t>(begin),
              .end = from + width * static_cast<std::int64_t>(end + 1),
              .counts = some,
              .gain = gain};
    }
  }
  return best;
}

}  // namespace

std::optional<Cause> TimeCause(const Losses& losses) {
  constexpr std::size_t kBins = 600;
  constexpr std::size_t kMostBins = 150;
  // Where equal packets are many, those called missing are any of them.
  const auto is_unsure = [&losses](std::uint32_t i) {
    return losses.IsMissing(i) && losses.comparison().results[i].unsure;
  };
  if (10 * static_cast<std::uint64_t>(std::ranges::count_if(losses.packets(), is_unsure)) >
      losses.all().missing) {
    return std::nullopt;
  }
  const std::int64_t from = losses.At(losses.packets().front()).time;
  const std::int64_t span = losses.At(losses.packets().back()).time - from + 1;
  if (span < 1'000'000'000) return std::nullopt;
  const std::int64_t width = span / std::int64_t{kBins} + 1;
  Stretch best = BestStretch(losses, from, width, kBins, kMostBins);
  const auto looks = static_cast<double>(kBins * kMostBins);
  if (best.gain == 0 || !losses.IsSignificant(best.counts, looks)) return std::nullopt;
  // Looks closer where the stretch begins and ends.
  const std::int64_t near = best.begin - width;
  const std::int64_t fine = (best.end + width - near) / 400 + 1;
  const Stretch closer = BestStretch(losses, near, fine, 400, 400);
  if (closer.gain > best.gain) best = closer;
  std::int64_t first = best.end;
  std::int64_t last = best.begin;
  for (const std::uint32_t i : losses.packets()) {
    const std::int64_t time = losses.At(i).time;
    if (!losses.IsMissing(i) || time < best.begin || time >= best.end) continue;
    first = std::min(first, time);
    last = std::max(last, time);
  }
  Cause cause{.gain = best.gain - std::log(looks), .rank = 20};
  cause.finding = {
      .kind = "time",
      .text =
          Format("Packets between %s and %s (%s s) are missing: %s, %s of the others.",
                 TimeText(first).c_str(), TimeText(last).c_str(),
                 Format("%.2f", static_cast<double>(last - first) / 1e9).c_str(),
                 best.counts.Text().c_str(), losses.all().Without(best.counts).RateText().c_str()),
      .value = TimeText(first) + "/" + TimeText(last),
      .lost = best.counts.missing,
      .of = best.counts.all};
  cause.holds = [&packets = losses.comparison().cloud.packets(), best](std::uint32_t i) {
    return packets[i].time >= best.begin && packets[i].time < best.end;
  };
  return cause;
}

}  // namespace cloudflaredump::compare
