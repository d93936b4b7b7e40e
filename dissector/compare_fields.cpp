// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/compare_fields.h"

#include <epan/expert.h>

#include <type_traits>

#include "common/capture_description.h"
#include "common/readable_line.h"

namespace cloudflaredump::dissector {
namespace {

static_assert(std::is_trivially_destructible_v<CompareFacts>);

int arrived_id = -1;
int delay_id = -1;
int local_frame_id = -1;
int local_file_id = -1;
int copies_id = -1;
expert_field missing_id = EI_INIT;

}  // namespace

void RegisterCompareFields(int protocol) {
  static hf_register_info fields[] = {
      {&arrived_id,
       {"Arrived", "cloudflare.compare.arrived", FT_BOOLEAN, BASE_NONE, nullptr, 0,
        "Whether the packet was seen at the routers; absent if it was not compared", HFILL}},
      {&delay_id,
       {"Delay", "cloudflare.compare.delay", FT_RELATIVE_TIME, BASE_NONE, nullptr, 0,
        "How much later than the fastest packet of its file it arrived", HFILL}},
      {&local_frame_id,
       {"Local frame", "cloudflare.compare.local_frame", FT_UINT32, BASE_DEC, nullptr, 0,
        "The number of the frame in the router's capture", HFILL}},
      {&local_file_id,
       {"Local file", "cloudflare.compare.local_file", FT_STRING, BASE_NONE, nullptr, 0,
        "The router's capture that has the packet", HFILL}},
      {&copies_id,
       {"Copies", "cloudflare.compare.copies", FT_UINT32, BASE_DEC, nullptr, 0,
        "How many records of the routers' captures are this packet", HFILL}},
  };
  static ei_register_info findings[] = {
      {&missing_id,
       {"cloudflare.expert.compare_missing", PI_SEQUENCE, PI_WARN,
        "This packet was not seen at the routers", EXPFILL}},
  };
  proto_register_field_array(protocol, fields, array_length(fields));
  expert_register_field_array(expert_register_protocol(protocol), findings, array_length(findings));
}

void TakeCompareComment(const packet_info& pinfo, const char* text, CompareFacts& facts) {
  CompareMark mark;
  if (ParseCompareMark(text, mark) != ParseVerdict::kGood || !mark.arrived) return;
  facts = {};
  facts.known = true;
  facts.arrived = *mark.arrived;
  if (mark.delay) {
    facts.has_delay = true;
    facts.delay.secs = static_cast<time_t>(*mark.delay / 1'000'000'000);
    facts.delay.nsecs = static_cast<int>(*mark.delay % 1'000'000'000);
  }
  if (mark.local_frame) {
    facts.has_frame = true;
    facts.local_frame = static_cast<std::uint32_t>(*mark.local_frame);
  }
  if (mark.copies) {
    facts.has_copies = true;
    facts.copies = static_cast<std::uint32_t>(*mark.copies);
  }
  if (mark.local_file) {
    facts.local_file = wmem_strdup(pinfo.pool, PrintableText(*mark.local_file).c_str());
  }
}

void AddCompareFields(proto_tree* tree, tvbuff_t* tvb, const CompareFacts& facts) {
  if (!facts.known) return;
  proto_tree_add_boolean(tree, arrived_id, tvb, 0, 0, facts.arrived ? 1 : 0);
  if (facts.has_delay) proto_tree_add_time(tree, delay_id, tvb, 0, 0, &facts.delay);
  if (facts.has_frame) proto_tree_add_uint(tree, local_frame_id, tvb, 0, 0, facts.local_frame);
  if (facts.local_file != nullptr) {
    proto_tree_add_string(tree, local_file_id, tvb, 0, 0, facts.local_file);
  }
  if (facts.has_copies) proto_tree_add_uint(tree, copies_id, tvb, 0, 0, facts.copies);
}

void AddCompareFinding(packet_info* pinfo, proto_item* item, const CompareFacts& facts) {
  if (facts.known && !facts.arrived) expert_add_info(pinfo, item, &missing_id);
}

}  // namespace cloudflaredump::dissector
