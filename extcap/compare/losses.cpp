// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/losses.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::compare {
namespace {

/// A cause explains at least this share of what is missing.
constexpr double kLeastShare = 0.05;

}  // namespace

std::string Counts::RateText() const {
  return Format(Rate() < 0.0995 ? "%.1f%%" : "%.0f%%", 100 * Rate());
}

std::string Counts::Text() const {
  return WithThousands(missing) + " of " + CountedPackets(all);
}

double Gain(const Counts& all, const Counts& some) {
  return LogGain(static_cast<double>(all.all), static_cast<double>(all.missing),
                 static_cast<double>(some.all), static_cast<double>(some.missing));
}

Losses::Losses(const Comparison& comparison) : comparison_(&comparison) {
  for (std::uint32_t i = 0; i < comparison.results.size(); ++i) {
    const Fate fate = comparison.results[i].fate;
    if (fate != Fate::kMissing && !HasArrived(fate)) continue;
    packets_.push_back(i);
    all_.Add(fate == Fate::kMissing);
  }
  missing_at_first_ = all_.missing;
}

Losses::Losses(const Losses& whole, std::vector<std::uint32_t> packets)
    : comparison_(whole.comparison_),
      packets_(std::move(packets)),
      missing_at_first_(whole.missing_at_first_) {
  for (const std::uint32_t i : packets_) all_.Add(IsMissing(i));
}

std::pair<Losses, Losses> Losses::Split(const std::function<bool(std::uint32_t)>& holds) const {
  std::vector<std::uint32_t> inside;
  std::vector<std::uint32_t> outside;
  for (const std::uint32_t i : packets_) (holds(i) ? inside : outside).push_back(i);
  return {Losses(*this, std::move(inside)), Losses(*this, std::move(outside))};
}

bool Losses::IsSignificant(const Counts& some, double looks) const {
  const Counts rest = all_.Without(some);
  if (some.missing < 2 || rest.all == 0 || some.Rate() < 1.5 * rest.Rate()) return false;
  const double excess =
      static_cast<double>(some.missing) - static_cast<double>(some.all) * rest.Rate();
  if (excess < kLeastShare * static_cast<double>(missing_at_first_) || excess < 2) return false;
  return ChanceOfAsMany(all_.all, all_.missing, some.all, some.missing) <
         kSignificance / std::max(looks, 1.0);
}

}  // namespace cloudflaredump::compare
