// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extcap/filter/box.h"

namespace cloudflaredump::filter {

/// What share of all packets boxes let through, if every value of every field were as likely: the
/// sum of 2^-(pinned bits). A fixed-point number, for doubles lose the small against the large.
class Cost {
 public:
  Cost() = default;
  explicit Cost(const Box& box);

  Cost& operator+=(const Cost& other);
  /// The result must not be negative.
  Cost& operator-=(const Cost& other);
  auto operator<=>(const Cost&) const = default;

 private:
  /// The whole part, then fractions down to 2^-320: two IPv6 addresses, ports and a protocol take
  /// 296 bits.
  std::array<std::uint64_t, 6> words_ = {};
};

/// The sum over `boxes`; what two of them share counts twice.
Cost CostOf(std::span<const Box> boxes);

/// Boxes that hold the same packets as `boxes`, in a fixed order, without those inside others.
/// Three that differ only in their protocol, one for each protocol that has ports, are one without
/// it.
std::vector<Box> Simplify(std::vector<Box> boxes);

/// At most `most` boxes, each of `boxes` inside one of them, of the least cost; in ComesBefore()'s
/// order, which also settles ties. Up to 10 boxes (simplified) it is the optimum; beyond that, the
/// two boxes whose union costs least more than they do are joined until 10 are left.
std::vector<Box> Cover(std::vector<Box> boxes, std::size_t most);

}  // namespace cloudflaredump::filter
