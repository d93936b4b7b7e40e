// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "extcap/compare/comparison.h"

namespace cloudflaredump::compare {

/// The share of wrong causes that is accepted for one kind of cause: 1% over all kinds, which are
/// ten fields, fragment, size, time and flow.
inline constexpr double kSignificance = 0.01 / 14;

/// Packets, and how many of them are missing.
struct Counts {
  std::uint64_t all = 0, missing = 0;

  void Add(bool is_missing) {
    ++all;
    missing += is_missing ? 1 : 0;
  }
  Counts& operator+=(const Counts& more) {
    all += more.all;
    missing += more.missing;
    return *this;
  }
  Counts Without(const Counts& some) const {
    return {.all = all - some.all, .missing = missing - some.missing};
  }
  double Rate() const {
    return all == 0 ? 0 : static_cast<double>(missing) / static_cast<double>(all);
  }
  std::string RateText() const;  ///< "1.5%"
  std::string Text() const;      ///< "3 of 200 packets"
};

/// How much better it explains what is missing of `all` that `some` of them are missing more often;
/// see LogGain.
double Gain(const Counts& all, const Counts& some);

/// Compared packets, some of which are missing: those that a cause is sought for. Points into the
/// comparison, which must outlive it.
class Losses {
 public:
  /// All packets that were compared.
  explicit Losses(const Comparison& comparison);
  /// Those of these packets for which `holds` is true, and the others.
  std::pair<Losses, Losses> Split(const std::function<bool(std::uint32_t)>& holds) const;

  const Comparison& comparison() const { return *comparison_; }
  /// Numbers of Cloudflare's packets, in order of time.
  const std::vector<std::uint32_t>& packets() const { return packets_; }
  const Counts& all() const { return all_; }
  /// Whether there is anything to explain: several are missing, and not all.
  bool HasBoth() const { return all_.missing >= 2 && all_.missing < all_.all; }
  bool IsMissing(std::uint32_t i) const { return comparison_->results[i].fate == Fate::kMissing; }
  const CloudPacket& At(std::uint32_t i) const { return comparison_->cloud.packets()[i]; }

  /// Whether `some` of these packets are missing so much more often than the others that chance is
  /// no explanation, when `looks` such sets are looked at.
  bool IsSignificant(const Counts& some, double looks) const;

 private:
  Losses(const Losses& whole, std::vector<std::uint32_t> packets);

  const Comparison* comparison_;
  std::vector<std::uint32_t> packets_;
  Counts all_{};
  std::uint64_t missing_at_first_ = 0;  ///< of all packets that were compared
};

}  // namespace cloudflaredump::compare
