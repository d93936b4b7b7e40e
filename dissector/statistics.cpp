// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/statistics.h"

#include <epan/stats_tree.h>
#include <epan/stats_tree_priv.h>
#include <epan/tap.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "dissector/readable_line.h"

namespace cloudflaredump {
namespace {

constexpr char kName[] = "cloudflare";

int tap_id = -1;

/// What one open tree has counted.
struct Counts {
  bool sampled = false;  ///< A sample was among the packets, so the tree shows no rates.
  /// Bytes by parent node and name: Wireshark counts in 32 bits with a sign.
  std::map<std::pair<int, std::string>, std::uint64_t> bytes;
  std::map<std::pair<int, std::string>, int> packets;
};

/// By tree: several may be open, with different display filters.
std::map<const stats_tree*, Counts>& OpenTrees() {
  static std::map<const stats_tree*, Counts> trees;
  return trees;
}

int Saturated(std::uint64_t number) {
  constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(number, kMost));
}

/// Names of nodes are for people, and come from the file.
std::string Shown(std::string_view text) {
  return ReadableLine(text, 100);
}

std::string PlaceName(const CaptureInterface& interface) {
  if (interface.sample()) return "All data centers (sample)";
  if (!interface.description.colo) return "Unknown data center";
  std::string name = Shown(*interface.description.colo);
  if (interface.colo != nullptr) {
    name.append(" (").append(interface.colo->city).append(", ");
    name.append(interface.colo->country).append(")");
  }
  return name;
}

std::string CaptureName(const CaptureInterface& interface) {
  return Shown(interface.description.pcap_id.value_or("Unknown capture"));
}

std::string PartName(const CaptureInterface& interface) {
  const CaptureDescription& d = interface.description;
  std::string name = "Part " + (d.part ? std::to_string(*d.part) : std::string("1"));
  if (d.parts) name += " of " + std::to_string(*d.parts);
  if (d.object) name += ": " + *d.object;
  return Shown(name);
}

std::string RequestName(const CaptureInterface& interface) {
  const CaptureDescription& d = interface.description;
  std::string name = "Request " + (d.request ? std::to_string(*d.request) : std::string("1"));
  if (d.requests) name += " of " + std::to_string(*d.requests);
  return Shown(name + ", filter_v1 " + interface.filter_json);
}

/// One packet on its way into one tree.
class Counter {
 public:
  Counter(stats_tree* tree, const packet_info& pinfo, const CaptureInterface& interface)
      : tree_(tree),
        counts_(OpenTrees()[tree]),
        length_(pinfo.fd->pkt_len),
        sample_(interface.sample()) {
    counts_.sampled |= sample_;
  }

  /// Counts the packet at the node `name` below `parent` of the packets' branch.
  int Packets(const std::string& name, int parent) {
    const int length = Saturated(length_);
    // Wireshark works out burst rates of what is counted by steps, so a sample's count is set.
    if (!sample_)
      return stats_tree_manip_node_int(MN_AVERAGE, tree_, name.c_str(), parent, 1, length);
    const int count = ++counts_.packets[{parent, name}];
    stats_tree_manip_node_int(MN_SET, tree_, name.c_str(), parent, 1, count);
    return stats_tree_manip_node_int(MN_AVERAGE_NOTICK, tree_, name.c_str(), parent, 1, length);
  }

  /// Counts its bytes likewise.
  int Bytes(const std::string& name, int parent) {
    std::uint64_t& total = counts_.bytes[{parent, name}];
    total += length_;
    const bool step = !sample_ && total <= std::numeric_limits<int>::max();
    return stats_tree_manip_node_int(step ? MN_INCREASE : MN_SET, tree_, name.c_str(), parent, 1,
                                     Saturated(step ? length_ : total));
  }

  bool any_sampled() const { return counts_.sampled; }

 private:
  stats_tree* tree_;
  Counts& counts_;
  std::uint32_t length_;
  bool sample_;
};

/// Counts the packet in one branch, whose nodes `add` makes.
template <class Add>
void CountBranch(const std::string& name, const CaptureInterface& interface, const Add& add) {
  const int branch = add(name, 0);
  add(PlaceName(interface), add("By data center", branch));
  add(PartName(interface), add(CaptureName(interface), add("By capture and part", branch)));
  add(RequestName(interface), add(CaptureName(interface), add("By request", branch)));
}

tap_packet_status TakePacket(stats_tree* tree, packet_info* pinfo, epan_dissect_t*,
                             const void* data, tap_flags_t) {
  const auto& interface = *static_cast<const CaptureInterface*>(data);
  Counter counter(tree, *pinfo, interface);
  CountBranch("Packets", interface,
              [&](const std::string& name, int parent) { return counter.Packets(name, parent); });
  CountBranch("Bytes", interface,
              [&](const std::string& name, int parent) { return counter.Bytes(name, parent); });
  // Without a time span Wireshark leaves the rates out.
  if (counter.any_sampled()) tree->elapsed = 0;
  return TAP_PACKET_REDRAW;
}

void StartTree(stats_tree* tree) {
  OpenTrees()[tree] = {};
}
void EndTree(stats_tree* tree) {
  OpenTrees().erase(tree);
}

}  // namespace

void RegisterStatistics() {
  tap_id = register_tap(kName);
  stats_tree_register_plugin(kName, kName, "Cloudflare", 0, TakePacket, StartTree, EndTree);
}

void CountPacket(packet_info* pinfo, const CaptureInterface& interface) {
  if (have_tap_listener(tap_id)) tap_queue_packet(tap_id, pinfo, &interface);
}

}  // namespace cloudflaredump
