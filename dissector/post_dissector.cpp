// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/post_dissector.h"

#include <epan/expert.h>
#include <epan/packet.h>
#include <epan/prefs.h>

#include <algorithm>

#include "dissector/capture_interfaces.h"
#include "dissector/compare_statistics.h"
#include "dissector/fields.h"
#include "dissector/findings.h"
#include "dissector/packet_comments.h"
#include "dissector/statistics.h"
#include "dissector/wireshark_version.h"

namespace cloudflaredump::dissector {
namespace {

int protocol = -1;
int tree_shape = -1;

wireshark::BoolPreference show_tree = true;
wireshark::BoolPreference show_summary = false;

CaptureInterfaces& Interfaces() {
  static CaptureInterfaces interfaces;
  return interfaces;
}

/// A packet of ours on its way into Wireshark. Trivially destructible, as everything on the stack
/// here must be: Wireshark's exceptions are jumps.
struct Packet {
  packet_info* pinfo;
  tvbuff_t* tvb;
  const CaptureInterface& interface;
  bool cut;
  const PacketComments& comments;
};

/// Calls `say` with each finding that is due on this packet.
template <class Say>
void ForEachFinding(const Packet& packet, const Say& say) {
  const CaptureInterface& interface = packet.interface;
  const CaptureDescription& d = interface.description;
  const std::uint32_t number = packet.pinfo->num;
  if (number == interface.first_frame) {
    if (interface.other_section) say(Finding::kOtherSection, nullptr);
    if (interface.verdict == ParseVerdict::kMalformed) say(Finding::kMalformed, nullptr);
    if (!interface.unreadable.empty()) say(Finding::kMalformed, interface.unreadable.c_str());
    if (d.end_uncertain == true) say(Finding::kEndUncertain, nullptr);
    if (d.late == true) say(Finding::kLate, nullptr);
    if (d.left_out) say(Finding::kLeftOut, nullptr);
  }
  if (!interface.usable()) return;
  const CaptureFacts& capture = *interface.capture;
  if (number == interface.run->first_frame && interface.sample()) say(Finding::kSampled, nullptr);
  if (number == capture.first_mismatch_frame) say(Finding::kResidualMismatch, nullptr);
  if (number == capture.first_limit_frame) say(Finding::kLimitReached, nullptr);
  if (number == interface.first_cut_frame) say(Finding::kCut, nullptr);
  if (packet.comments.malformed) {
    say(Finding::kMalformed, "A packet comment of cloudflaredump is malformed and was not used");
  }
  for (const PacketMark& mark : packet.comments.marks) {
    if (mark.undecided) say(Finding::kUndecided, nullptr);
    if (mark.limit_reached) say(Finding::kLimitReached, nullptr);
    if (mark.damaged) say(Finding::kDamaged, nullptr);
    if (mark.arrived == false) say(Finding::kCompareMissing, nullptr);
  }
}

bool HasFinding(const Packet& packet) {
  bool any = false;
  ForEachFinding(packet, [&any](Finding, const char*) { any = true; });
  return any;
}

/// The packet's own top-level item with all fields below it.
proto_item* AddTree(const Packet& packet, proto_tree* parent) {
  proto_item* const item = proto_tree_add_protocol_format(parent, protocol, packet.tvb, 0, 0, "%s",
                                                          packet.interface.title.c_str());
  if (!show_tree) proto_item_set_hidden(item);
  if (!packet.interface.usable()) return item;
  proto_tree* const tree = proto_item_add_subtree(item, tree_shape);
  const auto add = [&](const FieldValue& value) { AddField(tree, packet.tvb, value); };
  std::ranges::for_each(packet.interface.fields, add);
  if (packet.cut) add(CutField());
  std::ranges::for_each(packet.comments.fields, add);
  return item;
}

/// Reads nothing but numbers unless somebody asked for more: a tree that is shown, one of our
/// fields in a filter, column or -e, a finding that is due, a statistic.
int Dissect(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree, void*) {
  CaptureInterface* const interface = Interfaces().Of(*pinfo);
  if (interface == nullptr) return 0;
  const bool cut = pinfo->fd->cap_len < pinfo->fd->pkt_len;
  interface->See(pinfo->num, cut);
  if (interface->usable()) CountPacket(pinfo, *interface);
  if (show_summary && interface->usable()) {
    col_append_sep_str(pinfo->cinfo, COL_INFO, " ", interface->summary.c_str());
  }
  const Packet packet = {pinfo, tvb, *interface, cut, ReadComments(*pinfo)};
  CountCompared(pinfo, packet.comments);
  const bool due = HasFinding(packet);
  const bool asked = interface->usable() && proto_field_is_referenced(tree, protocol);
  if (!due && !asked) return 0;
  proto_item* const item = AddTree(packet, tree);
  ForEachFinding(packet, [&](Finding finding, const char* detail) {
    if (detail == nullptr) {
      AddFinding(pinfo, item, finding);
    } else {
      AddFinding(pinfo, item, finding, detail);
    }
  });
  return 0;
}

void RegisterPreferences() {
  module_t* const module = prefs_register_protocol(protocol, nullptr);
  prefs_register_bool_preference(module, "show_tree", "Show the tree in the packet details",
                                 "Off, the fields can still be filtered on and put in columns.",
                                 &show_tree);
  prefs_register_bool_preference(
      module, "show_summary", "Show the data center in the Info column",
      "Adds [Cloudflare ORD] or [Cloudflare sample] to the packets of a capture.", &show_summary);
}

}  // namespace

void RegisterProtocol() {
  protocol = proto_register_protocol("Cloudflare packet capture", "Cloudflare", "cloudflare");
  RegisterFields(protocol);
  RegisterFindings(protocol);
  static int* shapes[] = {&tree_shape};
  proto_register_subtree_array(shapes, array_length(shapes));
  RegisterPreferences();
  RegisterStatistics();
  RegisterCompareStatistics();
  register_init_routine(ForgetFile);
  register_cleanup_routine(ForgetFile);
}

void RegisterHandoff() {
  register_postdissector(create_dissector_handle(Dissect, protocol));
}

void ForgetFile() {
  Interfaces().Clear();
}

}  // namespace cloudflaredump::dissector
