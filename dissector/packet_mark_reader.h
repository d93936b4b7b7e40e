// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include "dissector/compare_fields.h"

namespace cloudflaredump::dissector {

/// What our comments on a packet say. Trivial, and its text owned by the packet's memory pool:
/// Wireshark's exceptions jump over destructors.
struct MarkFacts {
  bool ours = false;       ///< There is a comment of ours.
  bool malformed = false;  ///< One of ours is broken; it is not used.
  bool undecided = false;
  bool limit_reached = false;
  bool has_first = false;
  bool has_last = false;
  nstime_t first = {};
  nstime_t last = {};
  const char* damaged = nullptr;  ///< Printable; null if nothing was lost.
  CompareFacts compare = {};
};

/// Reads the comments of a packet, as they are in the file or as the user has edited them.
MarkFacts ReadMarks(const packet_info& pinfo);

}  // namespace cloudflaredump::dissector
