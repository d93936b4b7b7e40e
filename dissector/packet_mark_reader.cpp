// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/packet_mark_reader.h"

#include <wiretap/wtap.h>
#include <wiretap/wtap_opttypes.h>

#include <string>
#include <type_traits>

#include "common/capture_description.h"
#include "common/readable_line.h"
#include "dissector/wireshark_time.h"

namespace cloudflaredump::dissector {
namespace {

/// Ours is the first comment: it is written with the packet. Each costs a walk over those before
/// it.
constexpr unsigned kMostComments = 100;

static_assert(std::is_trivially_destructible_v<MarkFacts>);

void TakeTime(const std::optional<std::string>& text, bool& has, nstime_t& time) {
  if (!text) return;
  if (const auto read = ToWireshark(*text)) {
    has = true;
    time = *read;
  }
}

void TakeComment(const packet_info& pinfo, const char* text, MarkFacts& facts) {
  PacketMark mark;
  switch (ParsePacketMark(text, mark)) {
    case ParseVerdict::kNotOurs:
      return;
    case ParseVerdict::kMalformed:
      facts.ours = facts.malformed = true;
      return;
    case ParseVerdict::kGood:
      break;
  }
  facts.ours = true;
  facts.undecided |= mark.undecided;
  facts.limit_reached |= mark.limit_reached;
  TakeTime(mark.coverage_first, facts.has_first, facts.first);
  TakeTime(mark.coverage_last, facts.has_last, facts.last);
  if (mark.damaged) {
    facts.damaged = wmem_strdup(pinfo.pool, PrintableText(*mark.damaged).c_str());
  }
}

}  // namespace

MarkFacts ReadMarks(const packet_info& pinfo) {
  MarkFacts facts;
  wtap_block_t block = pinfo.fd->has_modified_block ? epan_get_modified_block(pinfo.epan, pinfo.fd)
                                                    : pinfo.rec->block;
  if (block == nullptr) return facts;
  char* text = nullptr;
  for (unsigned i = 0;
       i < kMostComments &&
       wtap_block_get_nth_string_option_value(block, OPT_COMMENT, i, &text) == WTAP_OPTTYPE_SUCCESS;
       ++i) {
    TakeComment(pinfo, text, facts);
    TakeCompareComment(pinfo, text, facts.compare);
  }
  return facts;
}

}  // namespace cloudflaredump::dissector
