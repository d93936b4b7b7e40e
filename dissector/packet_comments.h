// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <vector>

#include "common/capture_description.h"
#include "dissector/fields.h"

namespace cloudflaredump::dissector {

/// What our comments on a packet say.
struct PacketComments {
  bool malformed = false;         ///< One of ours is broken; it is not used.
  std::vector<PacketMark> marks;  ///< The others, one each.
  std::vector<FieldValue> fields;
};

/// Reads the comments of a packet, as they are in the file or as the user has edited them. The
/// answer lasts until the next call: Wireshark's exceptions jump over destructors, so that a
/// caller's own copy would leak.
const PacketComments& ReadComments(const packet_info& pinfo);

}  // namespace cloudflaredump::dissector
