// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/packet_comments.h"

#include <wiretap/wtap.h>
#include <wiretap/wtap_opttypes.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace cloudflaredump::dissector {
namespace {

/// Ours is the first comment: it is written with the packet. Each costs a walk over those before
/// it.
constexpr unsigned kMostComments = 100;

void Take(const char* text, PacketComments& comments) {
  PacketMark mark;
  const ParseVerdict verdict = ParsePacketMark(text, mark);
  comments.malformed |= verdict == ParseVerdict::kMalformed;
  if (verdict != ParseVerdict::kGood) return;
  std::ranges::move(FieldsOf(mark), std::back_inserter(comments.fields));
  comments.marks.push_back(std::move(mark));
}

}  // namespace

const PacketComments& ReadComments(const packet_info& pinfo) {
  static PacketComments comments;
  comments.malformed = false;
  comments.marks.clear();
  comments.fields.clear();
  wtap_block_t block = pinfo.fd->has_modified_block ? epan_get_modified_block(pinfo.epan, pinfo.fd)
                                                    : pinfo.rec->block;
  if (block == nullptr) return comments;
  char* text = nullptr;
  for (unsigned i = 0;
       i < kMostComments &&
       wtap_block_get_nth_string_option_value(block, OPT_COMMENT, i, &text) == WTAP_OPTTYPE_SUCCESS;
       ++i) {
    Take(text, comments);
  }
  return comments;
}

}  // namespace cloudflaredump::dissector
