// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/post_dissector.h"

#include <epan/expert.h>
#include <epan/packet.h>
#include <epan/prefs.h>

#include "dissector/capture_interfaces.h"
#include "dissector/compare_fields.h"
#include "dissector/compare_statistics.h"
#include "dissector/fields.h"
#include "dissector/findings.h"
#include "dissector/packet_mark_reader.h"
#include "dissector/printed_fields.h"
#include "dissector/statistics.h"
#include "dissector/wireshark_version.h"

namespace cloudflaredump::dissector {
namespace {

int protocol = -1;
int tree_shape = -1;
int filter_tree_shape = -1;

wireshark::BoolPreference show_tree = true;
wireshark::BoolPreference show_summary = false;

/// Of this run of the program.
bool prints_other_fields_only = false;

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
  MarkFacts mark;

  bool FirstOfPart() const { return pinfo->num == interface.first_frame; }
  bool FirstCutOfPart() const { return pinfo->num == interface.first_cut_frame; }
};

/// Calls `say` with each finding that is due on this packet.
template <class Say>
void ForEachFinding(const Packet& packet, const Say& say) {
  const CaptureInterface& interface = packet.interface;
  const CaptureDescription& d = interface.description;
  if (packet.FirstOfPart()) {
    if (interface.other_section) say(Finding::kOtherSection, nullptr);
    if (interface.verdict == ParseVerdict::kMalformed) say(Finding::kMalformed, nullptr);
    if (!interface.unreadable.empty()) say(Finding::kMalformed, interface.unreadable.c_str());
    if (d.end_uncertain == true) say(Finding::kEndUncertain, nullptr);
    if (d.late == true) say(Finding::kLate, nullptr);
    if (d.left_out) say(Finding::kLeftOut, nullptr);
  }
  if (!interface.usable()) return;
  const CaptureFacts& capture = *interface.capture;
  const std::uint32_t number = packet.pinfo->num;
  if (number == capture.first_frame && interface.sample()) say(Finding::kSampled, nullptr);
  if (number == capture.first_mismatch_frame) say(Finding::kResidualMismatch, nullptr);
  if (number == capture.first_limit_frame) say(Finding::kLimitReached, nullptr);
  if (packet.FirstCutOfPart()) say(Finding::kCut, nullptr);
  if (!packet.mark.ours) return;
  if (packet.mark.malformed) {
    say(Finding::kMalformed, "A packet comment of cloudflaredump is malformed and was not used");
  }
  if (packet.mark.undecided) say(Finding::kUndecided, nullptr);
  if (packet.mark.limit_reached) say(Finding::kLimitReached, nullptr);
  if (packet.mark.damaged != nullptr) say(Finding::kDamaged, nullptr);
}

bool HasFinding(const Packet& packet) {
  bool any = false;
  ForEachFinding(packet, [&any](Finding, const char*) { any = true; });
  return any;
}

void AddDescription(const Packet& packet, proto_tree* tree) {
  for (const FieldValue& value : packet.interface.fields) {
    proto_item* const item = AddField(tree, packet.tvb, value);
    if (value.field != Field::kFilterV1) continue;
    proto_tree* const filter = proto_item_add_subtree(item, filter_tree_shape);
    for (const FieldValue& part : packet.interface.filter_fields) {
      AddField(filter, packet.tvb, part);
    }
  }
}

void AddMark(const Packet& packet, proto_tree* tree) {
  const MarkFacts& mark = packet.mark;
  if (packet.cut) AddFlag(tree, packet.tvb, Field::kCut, true);
  if (mark.undecided) AddFlag(tree, packet.tvb, Field::kUndecided, true);
  if (mark.limit_reached) AddFlag(tree, packet.tvb, Field::kLimitReached, true);
  if (mark.damaged != nullptr) AddText(tree, packet.tvb, Field::kDamaged, mark.damaged);
  if (mark.has_first) AddTime(tree, packet.tvb, Field::kCoverageFirst, mark.first);
  if (mark.has_last) AddTime(tree, packet.tvb, Field::kCoverageLast, mark.last);
  AddCompareFields(tree, packet.tvb, mark.compare);
}

/// The packet's own top-level item with all fields below it.
proto_item* AddTree(const Packet& packet, proto_tree* parent) {
  proto_item* const item = proto_tree_add_protocol_format(parent, protocol, packet.tvb, 0, 0, "%s",
                                                          packet.interface.title.c_str());
  if (!show_tree) proto_item_set_hidden(item);
  if (!packet.interface.usable()) return item;
  proto_tree* const tree = proto_item_add_subtree(item, tree_shape);
  AddDescription(packet, tree);
  AddMark(packet, tree);
  return item;
}

/// Whether one of our fields is asked for, by a filter, column or -e, or by a tree that is shown.
bool IsAsked(proto_tree* tree) {
  if (!proto_field_is_referenced(tree, protocol)) return false;
  return !prints_other_fields_only ||
         proto_registrar_get_nth(static_cast<unsigned>(protocol))->ref_type != HF_REF_TYPE_NONE;
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
  const Packet packet = {pinfo, tvb, *interface, cut, ReadMarks(*pinfo)};
  const CompareFacts& compare = packet.mark.compare;
  CountCompared(pinfo, compare);
  const bool due = HasFinding(packet) || (compare.known && !compare.arrived);
  const bool asked = interface->usable() && IsAsked(tree);
  if (!due && !asked) return 0;
  proto_item* const item = AddTree(packet, tree);
  ForEachFinding(packet, [&](Finding finding, const char* detail) {
    if (detail == nullptr) {
      AddFinding(pinfo, item, finding);
    } else {
      AddFinding(pinfo, item, finding, detail);
    }
  });
  AddCompareFinding(pinfo, item, compare);
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
  RegisterCompareFields(protocol);
  static int* shapes[] = {&tree_shape, &filter_tree_shape};
  proto_register_subtree_array(shapes, array_length(shapes));
  RegisterPreferences();
  RegisterStatistics();
  RegisterCompareStatistics();
  register_init_routine(ForgetFile);
  register_cleanup_routine(ForgetFile);
}

void RegisterHandoff() {
  prints_other_fields_only = PrintsOtherFieldsOnly(CommandLine(), [](const std::string& name) {
    return proto_registrar_get_byname(name.c_str()) != nullptr;
  });
  register_postdissector(create_dissector_handle(Dissect, protocol));
}

void ForgetFile() {
  Interfaces().Clear();
}

}  // namespace cloudflaredump::dissector
