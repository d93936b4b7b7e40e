// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <cstdint>

namespace cloudflaredump::dissector {

/// What a reader of a capture must know so as not to draw wrong conclusions from it: Wireshark's
/// expert information. Names, severities and sentences stand in one table in findings.cpp.
enum class Finding : std::uint8_t {
  kSampled,           ///< Once per capture, and once for all windows of live ones.
  kCut,               ///< Once per file.
  kUndecided,         ///< On each such packet.
  kLimitReached,      ///< Once per capture, or on the packet marked so.
  kDamaged,           ///< On the last packet before the damage.
  kResidualMismatch,  ///< Once per capture.
  kEndUncertain,      ///< Once per file.
  kLate,              ///< Once per file.
  kLeftOut,           ///< Once per file.
  kMalformed,         ///< Once per file, and on each packet whose comment is malformed.
  kOtherSection,      ///< Once per file.
  kCompareMissing,    ///< On each such packet.
  kCount,
};

/// Registers the expert fields with Wireshark under `protocol`.
void RegisterFindings(int protocol);

/// Says `finding` of the packet, on `item` if there is one.
void AddFinding(packet_info* pinfo, proto_item* item, Finding finding);

/// The same with `detail`, valid UTF-8, in place of the table's sentence.
void AddFinding(packet_info* pinfo, proto_item* item, Finding finding, const char* detail);

}  // namespace cloudflaredump::dissector
