// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/facts.h"

#include <algorithm>
#include <bit>

namespace cloudflaredump::filter {
namespace {

/// Beyond this many candidates nobody counts them.
constexpr std::uint64_t kMostCandidates = 4096;

bool Overlap(const Window& a, const Window& b) {
  return a.behind_header == b.behind_header && a.offset < b.offset + b.size &&
         b.offset < a.offset + a.size;
}

bool Inside(const Window& inner, const Window& outer) {
  return inner.behind_header == outer.behind_header && inner.offset >= outer.offset &&
         inner.offset + inner.size <= outer.offset + outer.size;
}

/// A number of window `from` seen as part of window `to`: bytes outside of `to` are lost.
std::uint32_t Carry(std::uint32_t number, const Window& from, const Window& to) {
  const auto end_of_from = static_cast<int>(from.offset + from.size);
  const auto end_of_to = static_cast<int>(to.offset + to.size);
  const int shift = (end_of_to - end_of_from) * 8;
  const std::uint64_t moved =
      shift >= 0 ? std::uint64_t{number} << shift : std::uint64_t{number} >> -shift;
  return static_cast<std::uint32_t>(moved) & FullMask(to);
}

/// The bits that all numbers from `least` to `most` share.
std::uint32_t CommonPrefix(std::uint32_t least, std::uint32_t most) {
  const auto different = static_cast<unsigned>(std::bit_width(least ^ most));
  return different == 32 ? 0 : ~((1U << different) - 1);
}

void Learn(KnownBits& known, const Fact& fact, const Window& window) {
  if (fact.excluded) return;
  const std::uint32_t sure = fact.mask & CommonPrefix(fact.least, fact.most);
  const std::uint32_t mask = Carry(sure, fact.window, window);
  known.mask |= mask;
  known.value = (known.value & ~mask) | (Carry(fact.least & sure, fact.window, window) & mask);
}

bool Holds(const Fact& fact, std::uint32_t number, const Window& window) {
  // Only for facts inside the window, so nothing is lost.
  const auto behind = window.offset + window.size - (fact.window.offset + fact.window.size);
  const std::uint32_t masked = (number >> 8 * behind) & fact.mask;
  if (fact.excluded) return masked != fact.least;
  return masked >= fact.least && masked <= fact.most;
}

}  // namespace

bool Facts::Add(const Fact& fact) {
  KnownBits known;
  std::uint32_t least = fact.excluded ? 0 : fact.least;
  std::uint32_t most = fact.excluded ? fact.mask : fact.most;
  work_ += list_.size() + 1;
  for (const Fact& other : list_) {
    if (!Overlap(other.window, fact.window)) continue;
    Learn(known, other, fact.window);
    if (other.excluded || other.mask != fact.mask || other.window != fact.window) continue;
    least = std::max(least, other.least);
    most = std::min(most, other.most);
  }
  known.mask &= fact.mask;
  known.value &= fact.mask;
  least = std::max(least, known.value);
  most = std::min(most, known.value | (fact.mask & ~known.mask));
  if (least > most) return false;
  const std::uint32_t prefix = CommonPrefix(least, most) & known.mask;
  if (((least ^ known.value) & prefix) != 0) return false;
  if (fact.excluded && least == most && least == fact.least) return false;
  if (least == most && !fact.excluded) {
    for (const Fact& other : list_) {
      const bool same = other.mask == fact.mask && other.window == fact.window;
      if (other.excluded && same && other.least == least) return false;
    }
  }
  list_.push_back(fact);
  return true;
}

bool Facts::AddEqual(const Window& window, std::uint32_t number) {
  return Add({.window = window, .mask = FullMask(window), .least = number, .most = number});
}

KnownBits Facts::Known(const Window& window) const {
  KnownBits known;
  work_ += list_.size();
  for (const Fact& fact : list_) {
    if (Overlap(fact.window, window)) Learn(known, fact, window);
  }
  return known;
}

std::optional<std::vector<std::uint32_t>> Facts::Values(const Window& window,
                                                        std::size_t most) const {
  const KnownBits known = Known(window);
  const std::uint32_t open = FullMask(window) & ~known.mask;
  std::vector<const Fact*> inside;
  std::uint32_t least = 0;
  std::uint32_t greatest = FullMask(window);
  for (const Fact& fact : list_) {
    if (!Inside(fact.window, window)) continue;
    inside.push_back(&fact);
    if (fact.excluded || fact.window != window || fact.mask != FullMask(window)) continue;
    least = std::max(least, fact.least);
    greatest = std::min(greatest, fact.most);
  }
  std::vector<std::uint32_t> values;
  const auto keep = [&](std::uint32_t number) {
    if ((number & known.mask) != known.value || number < least || number > greatest) return;
    work_ += inside.size();
    if (std::ranges::all_of(inside,
                            [&](const Fact* fact) { return Holds(*fact, number, window); })) {
      values.push_back(number);
    }
  };
  if (least > greatest) return values;
  const std::uint64_t by_range = std::uint64_t{greatest} - least + 1;
  const std::uint64_t by_bits = std::uint64_t{1} << std::popcount(open);
  if (std::min(by_range, by_bits) > kMostCandidates) return std::nullopt;
  // Counts through the range, or through the open bits: ascending either way.
  const bool ranged = by_range < by_bits;
  std::uint32_t at = ranged ? least : 0;
  for (std::uint64_t left = std::min(by_range, by_bits); left > 0; --left) {
    keep(ranged ? at : known.value | at);
    if (values.size() > most) return std::nullopt;
    at = ranged ? at + 1 : (at - open) & open;
  }
  return values;
}

Facts Facts::WithHeaderLength(std::uint32_t length) const {
  Facts facts = *this;
  for (Fact& fact : facts.list_) {
    if (fact.window.behind_header) fact.window.offset += length;
    fact.window.behind_header = false;
  }
  return facts;
}

}  // namespace cloudflaredump::filter
