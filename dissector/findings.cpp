// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/findings.h"

#include <epan/expert.h>

#include <array>
#include <cstddef>

namespace cloudflaredump::dissector {
namespace {

constexpr std::size_t kFindingCount = static_cast<std::size_t>(Finding::kCount);

struct Row {
  Finding finding;
  const char* name;
  int group;
  int severity;
  const char* sentence;
};

/// In the order of Finding.
const Row kRows[] = {
    {Finding::kSampled, "cloudflare.expert.sampled", PI_SEQUENCE, PI_CHAT,
     "This capture is a sample: most packets of a connection are missing, and that is expected"},
    {Finding::kCut, "cloudflare.expert.cut", PI_UNDECODED, PI_NOTE,
     "Packets were cut when they were captured: see cloudflare.cut"},
    {Finding::kUndecided, "cloudflare.expert.undecided", PI_ASSUMPTION, PI_NOTE,
     "The packet was cut too short for the capture filter, or cannot be tested; it may not match"},
    {Finding::kLimitReached, "cloudflare.expert.limit_reached", PI_SEQUENCE, PI_WARN,
     "Cloudflare's limit ended the capture: later packets are missing"},
    {Finding::kDamaged, "cloudflare.expert.damaged", PI_SEQUENCE, PI_ERROR,
     "Packets after this one were lost"},
    {Finding::kResidualMismatch, "cloudflare.expert.residual_mismatch", PI_ASSUMPTION, PI_WARN,
     "No packet that Cloudflare sent matched the capture filter, so all were kept"},
    {Finding::kEndUncertain, "cloudflare.expert.end_uncertain", PI_SEQUENCE, PI_NOTE,
     "Only the connection's close ended the download: packets may be missing"},
    {Finding::kLate, "cloudflare.expert.late", PI_SEQUENCE, PI_NOTE,
     "This file was found after the others were delivered: its packets are out of order"},
    {Finding::kLeftOut, "cloudflare.expert.left_out", PI_COMMENTS_GROUP, PI_NOTE,
     "The capture description had no room for all it should say: see cloudflare.left_out"},
    {Finding::kMalformed, "cloudflare.expert.malformed", PI_MALFORMED, PI_NOTE,
     "The capture description is malformed and was not used"},
    {Finding::kOtherSection, "cloudflare.expert.other_section", PI_UNDECODED, PI_NOTE,
     "This version of Wireshark cannot tell how packets of a file's further sections were captured;"
     " open it with 4.4 or later, or merge the original files"},
    {Finding::kCompareMissing, "cloudflare.expert.compare_missing", PI_SEQUENCE, PI_WARN,
     "This packet was not seen at the routers"},
};
static_assert(std::size(kRows) == kFindingCount);

/// Written by expert_register_field_array, which keeps pointers.
std::array<expert_field, kFindingCount> ids;
std::array<ei_register_info, kFindingCount> registrations;

}  // namespace

void RegisterFindings(int protocol) {
  for (const Row& row : kRows) {
    const auto at = static_cast<std::size_t>(row.finding);
    ids[at] = EI_INIT;
    registrations[at] = {&ids[at], {row.name, row.group, row.severity, row.sentence, EXPFILL}};
  }
  expert_register_field_array(expert_register_protocol(protocol), registrations.data(),
                              kFindingCount);
}

void AddFinding(packet_info* pinfo, proto_item* item, Finding finding) {
  expert_add_info(pinfo, item, &ids[static_cast<std::size_t>(finding)]);
}

void AddFinding(packet_info* pinfo, proto_item* item, Finding finding, const char* detail) {
  expert_add_info_format(pinfo, item, &ids[static_cast<std::size_t>(finding)], "%s", detail);
}

}  // namespace cloudflaredump::dissector
