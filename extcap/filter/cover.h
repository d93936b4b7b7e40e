// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "extcap/filter/box.h"

namespace cloudflaredump::filter {

/// What share of all packets boxes let through, if every value of every field were as likely: the
/// sum of 2^-(pinned bits), of which this is the list of exponents, the largest first. As all are
/// multiples of 8 and fewer than 256 are equal, lists compare as their sums do, at any precision.
using Cost = std::vector<int>;

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
