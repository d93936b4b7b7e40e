// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <cstdint>

namespace cloudflaredump::dissector {

/// What a comparison with a router's capture has said of a packet (`cloudflaredump compare -w`).
/// Trivial, as MarkFacts is.
struct CompareFacts {
  bool known = false;  ///< The packet was compared.
  bool arrived = false;
  bool has_delay = false, has_frame = false, has_copies = false;
  nstime_t delay = {};
  std::uint32_t local_frame = 0, copies = 0;
  const char* local_file = nullptr;  ///< Printable; null if not said.
};

/// Registers the fields cloudflare.compare.* and their expert information under `protocol`.
void RegisterCompareFields(int protocol);

/// Takes what one comment of the packet says.
void TakeCompareComment(const packet_info& pinfo, const char* text, CompareFacts& facts);

/// Adds the fields to `tree`.
void AddCompareFields(proto_tree* tree, tvbuff_t* tvb, const CompareFacts& facts);

/// Says that the packet is missing, on `item`, if it is.
void AddCompareFinding(packet_info* pinfo, proto_item* item, const CompareFacts& facts);

}  // namespace cloudflaredump::dissector
