// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "extcap/compare/comparison.h"

namespace cloudflaredump::compare {

/// Adds a finding for packets that passed one point of a local file and not the next one behind it.
/// `points` has a bit for each point of `local` that a packet of Cloudflare's was seen at.
void FindRouterDrops(Comparison& c, const LocalResult& local,
                     const std::vector<std::uint64_t>& points);

}  // namespace cloudflaredump::compare
