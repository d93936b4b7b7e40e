// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace cloudflaredump::dissector {

/// The fields of the protocol `cloudflare`, in the order in which the packet details show them.
/// Their names, types and descriptions stand in one table in fields.cpp.
enum class Field : std::uint8_t {
  kPcapId,
  kType,
  kSystem,
  kStatus,
  kColo,
  kColoCity,
  kColoCountry,
  kSubmitted,
  kTimeLimit,
  kPacketLimit,
  kByteLimit,
  kOffsetTime,
  kDestinationConf,
  kStopRequested,
  kPacketsCaptured,
  kErrorMessage,
  kFilterV1,
  kSourceAddress,
  kSourceAddressIpv6,
  kSourceAddressText,
  kDestinationAddress,
  kDestinationAddressIpv6,
  kDestinationAddressText,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kCaptureFilter,
  kRequest,
  kRequests,
  kPart,
  kParts,
  kObject,
  kLate,
  kCoverageFirst,
  kCoverageLast,
  kLimitReached,
  kResidualMismatch,
  kEndUncertain,
  kLeftOut,
  kCut,
  kUndecided,
  kDamaged,
  kCount,
};

/// What a field holds. Texts are printable. Addresses are in network byte order.
using FieldContent =
    std::variant<std::string, std::uint64_t, bool, nstime_t, ws_in4_addr, ws_in6_addr>;

/// A field made ready once and then added to each packet of an interface.
struct FieldValue {
  Field field;
  FieldContent content;
};

/// Registers all fields with Wireshark under `protocol`.
void RegisterFields(int protocol);

/// Add a field to `tree`; it stands for no bytes of the packet.
proto_item* AddText(proto_tree* tree, tvbuff_t* tvb, Field field, const char* text);
proto_item* AddFlag(proto_tree* tree, tvbuff_t* tvb, Field field, bool value);
proto_item* AddTime(proto_tree* tree, tvbuff_t* tvb, Field field, const nstime_t& time);
proto_item* AddField(proto_tree* tree, tvbuff_t* tvb, const FieldValue& value);

}  // namespace cloudflaredump::dissector
