// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/compare_statistics.h"

#include <epan/stats_tree.h>
#include <epan/tap.h>
#include <epan/to_str.h>

#include <algorithm>
#include <string>

#include "common/text.h"

namespace cloudflaredump::dissector {
namespace {

constexpr char kComparisonTree[] = "cloudflare_compare";

int comparison_tap = -1;

tap_packet_status AddToComparisonTree(stats_tree* tree, packet_info* pinfo, epan_dissect_t*,
                                      const void* data, tap_flags_t) {
  const bool arrived = *static_cast<const bool*>(data);
  const auto count = [tree](const char* name, int parent) {
    return stats_tree_manip_node_int(MN_INCREASE, tree, name, parent, 1, 1);
  };
  const int all = count("Compared", 0);
  const int fate = count(arrived ? "Arrived" : "Not seen at the routers", all);
  char* const address = address_to_str(pinfo->pool, &pinfo->dst);
  count(CleanLine(address == nullptr ? "" : address, 100).c_str(), fate);
  return TAP_PACKET_REDRAW;
}

}  // namespace

void RegisterCompareStatistics() {
  comparison_tap = register_tap(kComparisonTree);
  stats_tree_register_plugin(kComparisonTree, kComparisonTree, "Cloudflare comparison", 0,
                             AddToComparisonTree, nullptr, nullptr);
}

void CountCompared(packet_info* pinfo, const PacketComments& comments) {
  if (!have_tap_listener(comparison_tap)) return;
  const auto mark = std::ranges::find_if(
      comments.marks, [](const PacketMark& each) { return each.arrived.has_value(); });
  if (mark == comments.marks.end()) return;
  bool* const arrived = wmem_new(pinfo->pool, bool);
  *arrived = *mark->arrived;
  tap_queue_packet(comparison_tap, pinfo, arrived);
}

}  // namespace cloudflaredump::dissector
