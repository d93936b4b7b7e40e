// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/statistics.h"

#include <epan/stats_tree.h>
#include <epan/stats_tree_priv.h>
#include <epan/tap.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/colos.h"
#include "common/text.h"

namespace cloudflaredump::dissector {
namespace {

constexpr char kTrafficTree[] = "cloudflare";

int traffic_tap = -1;

/// Nodes that a node names at most; what is beyond is summed. Wireshark walks along all of them to
/// add one, so that 20,000 took minutes.
constexpr std::size_t kMostNames = 2000;
constexpr char kOthers[] = "All others";

/// What is remembered of one open tree.
struct OpenTree {
  bool sampled = false;         ///< A sample was among the packets, so the tree shows no rates.
  std::set<int> sampled_nodes;  ///< The nodes that counted one.
  std::map<int, std::set<std::string>> names;  ///< Of the nodes below a node.
};

/// Several trees may be open, with different display filters.
std::map<const stats_tree*, OpenTree>& OpenTrees() {
  static std::map<const stats_tree*, OpenTree> trees;
  return trees;
}

/// Names of nodes are for people, and come from the file.
std::string Shown(std::string_view text) {
  return CleanLine(text, 100);
}

std::string PlaceName(const CaptureInterface& interface) {
  if (interface.sample()) return "All data centers (sample)";
  if (!interface.description.colo) return "Unknown data center";
  std::string name = Shown(*interface.description.colo);
  if (const Colo* const colo = FindColo(*interface.description.colo)) {
    name.append(" (").append(colo->city).append(", ").append(colo->country).append(")");
  }
  return name;
}

/// Windows of live captures are many, so they share a node.
std::string CaptureName(const CaptureInterface& interface) {
  if (interface.live()) return "Live samples";
  return Shown(interface.description.pcap_id.value_or("Unknown capture"));
}

/// "File 3 of 12"; the first one where nothing is said.
std::string OneOf(const char* noun, const std::optional<std::uint64_t>& number,
                  const std::optional<std::uint64_t>& total) {
  std::string name = std::string(noun) + " " + std::to_string(number.value_or(1));
  if (total) name += " of " + std::to_string(*total);
  return name;
}

std::string FileName(const CaptureInterface& interface) {
  const CaptureDescription& d = interface.description;
  if (interface.live()) {
    return Shown(OneOf("Window", d.window, {}) +
                 (d.offset_time ? ", up to " + *d.offset_time : ""));
  }
  return Shown(OneOf("File", d.file, d.files) + (d.object ? ": " + *d.object : ""));
}

std::string RequestName(const CaptureInterface& interface) {
  const CaptureDescription& d = interface.description;
  const std::string filter = FilterV1Text(d.filter_v1);
  return OneOf("Request", d.request, d.requests) + ": " +
         (filter.empty() ? "everything" : CleanLine(filter, 200));
}

/// One packet on its way into one tree.
class Counter {
 public:
  Counter(stats_tree* tree, const packet_info& pinfo, const CaptureInterface& interface)
      : tree_(tree),
        memory_(OpenTrees()[tree]),
        length_(static_cast<int>(std::min<std::uint32_t>(pinfo.fd->pkt_len, kMost))),
        sample_(interface.sample()) {}

  /// Counts the packet at the node `name` below `parent`: how many, how long.
  int Packets(const std::string& wanted, int parent) {
    return WithoutBursts(Change(MN_AVERAGE, Named(wanted, parent), parent, length_));
  }

  /// Counts its bytes likewise. Wireshark counts in 32 bits with a sign: the count stays at the
  /// largest number then, and the packets' count times their average still tells.
  int Bytes(const std::string& wanted, int parent) {
    const std::string name = Named(wanted, parent);
    const int id = Change(MN_INCREASE, name, parent, 0);
    const bool fits = Node(id).counter <= kMost - length_;
    return WithoutBursts(Change(fits ? MN_INCREASE : MN_SET, name, parent, fits ? length_ : kMost));
  }

  /// Leaves the rates out if they would be a sample's: without a time span Wireshark shows none.
  void Finish() {
    memory_.sampled |= sample_;
    if (memory_.sampled) tree_->elapsed = 0;
  }

 private:
  static constexpr int kMost = std::numeric_limits<int>::max();

  int Change(manip_node_mode mode, const std::string& name, int parent, int value) {
    return stats_tree_manip_node_int(mode, tree_, name.c_str(), parent, 1, value);
  }

  /// `wanted`, or the name of the node that sums what is beyond the bound.
  std::string Named(const std::string& wanted, int parent) {
    std::set<std::string>& names = memory_.names[parent];
    if (names.contains(wanted)) return wanted;
    if (names.size() >= kMostNames) return kOthers;
    return *names.insert(wanted).first;
  }

  stat_node& Node(int id) {
    return *static_cast<stat_node*>(g_ptr_array_index(tree_->parents, static_cast<guint>(id)));
  }

  /// Takes the burst rate, too, off a node that has counted a sample.
  int WithoutBursts(int id) {
    if (sample_) memory_.sampled_nodes.insert(id);
    if (memory_.sampled_nodes.contains(id)) Node(id).max_burst = 0;
    return id;
  }

  stats_tree* tree_;
  OpenTree& memory_;
  int length_;
  bool sample_;
};

/// Counts the packet in one branch, whose nodes `add` makes.
template <class Add>
void CountBranch(const std::string& name, const CaptureInterface& interface, const Add& add) {
  const int branch = add(name, 0);
  add(PlaceName(interface), add("By data center", branch));
  add(FileName(interface), add(CaptureName(interface), add("By capture and file", branch)));
  add(RequestName(interface), add(CaptureName(interface), add("By request", branch)));
}

tap_packet_status AddToTrafficTree(stats_tree* tree, packet_info* pinfo, epan_dissect_t*,
                                   const void* data, tap_flags_t) {
  const auto& interface = *static_cast<const CaptureInterface*>(data);
  Counter counter(tree, *pinfo, interface);
  CountBranch("Packets", interface,
              [&](const std::string& name, int parent) { return counter.Packets(name, parent); });
  CountBranch("Bytes", interface,
              [&](const std::string& name, int parent) { return counter.Bytes(name, parent); });
  counter.Finish();
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
  traffic_tap = register_tap(kTrafficTree);
  // The order in which every window shows them; from 4.6 on it would be the counts' otherwise,
  // bytes above packets.
  constexpr guint kByName = (ST_SORT_COL_NAME << ST_FLG_SRTCOL_SHIFT) | ST_FLG_SORT_DESC;
  stats_tree_register_plugin(kTrafficTree, kTrafficTree, "Cloudflare", kByName, AddToTrafficTree,
                             StartTree, EndTree);
}

void CountPacket(packet_info* pinfo, const CaptureInterface& interface) {
  if (have_tap_listener(traffic_tap)) tap_queue_packet(traffic_tap, pinfo, &interface);
}

}  // namespace cloudflaredump::dissector
