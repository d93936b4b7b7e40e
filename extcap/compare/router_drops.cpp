// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/router_drops.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "common/text.h"

namespace cloudflaredump::compare {

void FindRouterDrops(Comparison& c, const LocalResult& local,
                     const std::vector<std::uint64_t>& points) {
  const std::size_t count = std::min<std::size_t>(local.side.points.size(), 64);
  if (points.empty() || count < 2) return;
  std::vector<std::vector<std::uint64_t>> both(count, std::vector<std::uint64_t>(count));
  for (const std::uint64_t seen : points) {
    for (std::uint64_t a = seen; a != 0; a &= a - 1) {
      for (std::uint64_t b = seen; b != 0; b &= b - 1) {
        ++both[static_cast<std::size_t>(std::countr_zero(a))]
              [static_cast<std::size_t>(std::countr_zero(b))];
      }
    }
  }
  const auto depth = [&](std::size_t point) {
    std::uint32_t kinds = local.side.points[point].kinds;
    int layers = 0;
    for (; kinds != 0; kinds >>= 4) ++layers;
    return layers;
  };
  // How far on its way through the router a packet is: each tunnel header that is still there is a
  // step away, leaving is the last step.
  const auto steps_left = [&](std::size_t point) {
    return 2 * depth(point) + (local.side.points[point].sent ? 0 : 1);
  };
  for (std::size_t outer = 0; outer < count; ++outer) {
    if (both[outer][outer] < 20) continue;
    // The next step is where its packets mostly pass afterwards.
    int next = -1;
    for (std::size_t inner = 0; inner < count; ++inner) {
      if (steps_left(inner) >= steps_left(outer)) continue;
      if (both[outer][inner] * 10 >= both[outer][outer]) next = std::max(next, steps_left(inner));
    }
    std::uint64_t behind = 0;
    std::string name;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = 0;
    for (std::size_t inner = 0; inner < count; ++inner) {
      if (steps_left(inner) != next || both[outer][inner] * 10 < both[outer][outer]) continue;
      behind |= std::uint64_t{1} << inner;
      name += (name.empty() ? "" : ", ") + local.side.points[inner].name;
      first = std::min(first, local.side.points[inner].first);
      last = std::max(last, local.side.points[inner].last);
    }
    if (behind == 0) continue;
    std::uint64_t passed = 0;
    std::uint64_t dropped = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if ((points[i] >> outer & 1) == 0) continue;
      const std::int64_t expected = local.clock.Expected(c.cloud.packets()[i].time);
      if (expected - local.clock.close < first || expected + local.clock.close > last) continue;
      ++passed;
      dropped += (points[i] & behind) == 0 ? 1 : 0;
    }
    if (dropped == 0 || dropped * 2 > passed) continue;
    c.findings.push_back(
        {.kind = "router_drop",
         .text =
             Format("%s of %s that were seen at %s were not seen at %s: our own router lost them, "
                    "or that interface's capture did. They count as arrived.",
                    WithThousands(dropped).c_str(), CountedPackets(passed).c_str(),
                    local.side.points[outer].name.c_str(), name.c_str()),
         .value = local.side.points[outer].name + " > " + name,
         .of_missing = false,
         .lost = dropped,
         .of = passed});
  }
}

}  // namespace cloudflaredump::compare
