// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/fields.h"

#include <epan/ipproto.h>
#include <epan/unit_strings.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace cloudflaredump::dissector {
namespace {

constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

// Wireshark 4.0 declares the members without const.
const unit_name_string kPackets = {const_cast<char*>(" packet"), const_cast<char*>(" packets")};

/// One row of the table: what Wireshark shows and how.
struct Row {
  Field field;
  const char* title;
  const char* name;
  ftenum type;
  int display;
  const void* strings;
  const char* description;
};

constexpr int kNumber = BASE_DEC;
constexpr int kUnits = BASE_DEC | BASE_UNIT_STRING;
constexpr int kTime = ABSOLUTE_TIME_UTC;

constexpr Row Text(Field field, const char* title, const char* name, const char* description) {
  return {field, title, name, FT_STRING, BASE_NONE, nullptr, description};
}
constexpr Row Time(Field field, const char* title, const char* name, const char* description) {
  return {field, title, name, FT_ABSOLUTE_TIME, kTime, nullptr, description};
}
constexpr Row Flag(Field field, const char* title, const char* name, const char* description) {
  return {field, title, name, FT_BOOLEAN, BASE_NONE, nullptr, description};
}
constexpr Row Count(Field field, const char* title, const char* name, const char* description) {
  return {field, title, name, FT_UINT32, kNumber, nullptr, description};
}
constexpr Row Amount(Field field, const char* title, const char* name, ftenum type,
                     const unit_name_string* unit, const char* description) {
  return {field, title, name, type, kUnits, unit, description};
}

/// The API's names where the API has one. In the order of Field.
const Row kRows[] = {
    Text(Field::kPcapId, "Capture", "cloudflare.pcap_id", "The capture's id at Cloudflare"),
    Text(Field::kType, "Type", "cloudflare.type",
         "simple (a sample, from all data centers) or full (every packet, at one data center)"),
    Text(Field::kSystem, "System", "cloudflare.system", "What captured, such as magic-transit"),
    Text(Field::kStatus, "Status", "cloudflare.status",
         "The capture's status when these packets were fetched"),
    Text(Field::kColo, "Data center", "cloudflare.colo",
         "Where a full capture was taken: one site (ord02) or all of a city (ORD)"),
    Text(Field::kColoCity, "City", "cloudflare.colo.city", "The city of the data center"),
    Text(Field::kColoCountry, "Country", "cloudflare.colo.country",
         "The country of the data center"),
    Time(Field::kSubmitted, "Submitted", "cloudflare.submitted", "When the capture was requested"),
    Amount(Field::kTimeLimit, "Time limit", "cloudflare.time_limit", FT_UINT32,
           &units_second_seconds, "How long the capture was to last"),
    Amount(Field::kPacketLimit, "Packet limit", "cloudflare.packet_limit", FT_UINT64, &kPackets,
           "After how many packets Cloudflare was to end the capture"),
    Amount(Field::kByteLimit, "Byte limit", "cloudflare.byte_limit", FT_UINT64, &units_byte_bytes,
           "After how many bytes Cloudflare was to end the capture"),
    Time(Field::kOffsetTime, "Offset time", "cloudflare.offset_time",
         "The end of a sample's window, which reaches back by the time limit"),
    Text(Field::kDestinationConf, "Destination", "cloudflare.destination_conf",
         "The bucket that Cloudflare wrote a full capture to, without secrets"),
    Time(Field::kStopRequested, "Stop requested", "cloudflare.stop_requested",
         "When the capture was asked to stop before its limits"),
    Amount(Field::kPacketsCaptured, "Packets captured", "cloudflare.packets_captured", FT_UINT64,
           &kPackets, "How many packets Cloudflare says it captured"),
    Text(Field::kErrorMessage, "Error message", "cloudflare.error_message",
         "What Cloudflare says went wrong"),
    Text(Field::kFilterV1, "Filter at Cloudflare", "cloudflare.filter_v1",
         "What Cloudflare was asked to capture, as JSON; {} is everything"),
    {Field::kSourceAddress, "Source address", "cloudflare.filter_v1.source_address", FT_IPv4,
     BASE_NONE, nullptr, "IPv4 source address that Cloudflare filtered on"},
    {Field::kSourceAddressIpv6, "Source address", "cloudflare.filter_v1.source_address_ipv6",
     FT_IPv6, BASE_NONE, nullptr, "IPv6 source address that Cloudflare filtered on"},
    Text(Field::kSourceAddressText, "Source address", "cloudflare.filter_v1.source_address_text",
         "Source address that Cloudflare filtered on, if it is no single address"),
    {Field::kDestinationAddress, "Destination address", "cloudflare.filter_v1.destination_address",
     FT_IPv4, BASE_NONE, nullptr, "IPv4 destination address that Cloudflare filtered on"},
    {Field::kDestinationAddressIpv6, "Destination address",
     "cloudflare.filter_v1.destination_address_ipv6", FT_IPv6, BASE_NONE, nullptr,
     "IPv6 destination address that Cloudflare filtered on"},
    Text(Field::kDestinationAddressText, "Destination address",
         "cloudflare.filter_v1.destination_address_text",
         "Destination address that Cloudflare filtered on, if it is no single address"),
    {Field::kSourcePort, "Source port", "cloudflare.filter_v1.source_port", FT_UINT16, BASE_DEC,
     nullptr, "Source port that Cloudflare filtered on"},
    {Field::kDestinationPort, "Destination port", "cloudflare.filter_v1.destination_port",
     FT_UINT16, BASE_DEC, nullptr, "Destination port that Cloudflare filtered on"},
    {Field::kProtocol, "Protocol", "cloudflare.filter_v1.protocol", FT_UINT8,
     BASE_DEC | BASE_EXT_STRING, &ipproto_val_ext, "IP protocol that Cloudflare filtered on"},
    Text(Field::kCaptureFilter, "Capture filter", "cloudflare.capture_filter",
         "The whole filter that was asked for; every packet was tested with it after Cloudflare's"),
    Count(Field::kRequest, "Request", "cloudflare.request",
          "Which request to Cloudflare brought this packet, where the filter took several"),
    Count(Field::kRequests, "Requests", "cloudflare.requests",
          "How many requests to Cloudflare the filter took"),
    Count(Field::kPart, "Part", "cloudflare.part",
          "Which file of the capture the packet comes from: one for each machine"),
    Count(Field::kParts, "Parts", "cloudflare.parts", "How many files the capture has"),
    Text(Field::kObject, "Object", "cloudflare.object", "The name of that file in the bucket"),
    Flag(Field::kLate, "Late", "cloudflare.late",
         "Whether the part was found late, so that its packets are out of order"),
    Time(Field::kCoverageFirst, "First time covered", "cloudflare.coverage.first",
         "From when on packets were received"),
    Time(Field::kCoverageLast, "Last time covered", "cloudflare.coverage.last",
         "Until when packets were received"),
    Flag(Field::kLimitReached, "Limit reached", "cloudflare.limit_reached",
         "Whether Cloudflare's limit ended the capture, so that later packets are missing"),
    Flag(Field::kResidualMismatch, "Filter mismatch", "cloudflare.residual_mismatch",
         "Whether no packet that Cloudflare sent matched the filter, so that all were kept"),
    Flag(Field::kEndUncertain, "End uncertain", "cloudflare.end_uncertain",
         "Whether only the connection's close ended the download: packets may be missing"),
    Text(Field::kLeftOut, "Left out", "cloudflare.left_out",
         "What the capture description had no room for"),
    Flag(Field::kCut, "Cut", "cloudflare.cut",
         "Whether the packet was longer than what was captured of it; absent if it is whole"),
    Flag(Field::kUndecided, "Undecided", "cloudflare.undecided",
         "Whether the packet was cut before bytes that the filter needs; absent if it was decided"),
    Text(Field::kDamaged, "Damaged", "cloudflare.damaged",
         "What was lost after this packet; absent if nothing was"),
};
static_assert(std::size(kRows) == kFieldCount);

/// Wireshark's numbers for the fields, written by proto_register_field_array, which keeps pointers.
std::array<int, kFieldCount> ids;
std::array<hf_register_info, kFieldCount> registrations;

int Id(Field field) {
  return ids[static_cast<std::size_t>(field)];
}

/// What is worked out here, and not said by the capture file, stands in brackets.
proto_item* Marked(proto_item* item, Field field) {
  if (field == Field::kColoCity || field == Field::kColoCountry || field == Field::kCut) {
    proto_item_set_generated(item);
  }
  return item;
}

}  // namespace

void RegisterFields(int protocol) {
  ids.fill(-1);
  for (const Row& row : kRows) {
    const auto at = static_cast<std::size_t>(row.field);
    registrations[at] = {
        &ids[at],
        {row.title, row.name, row.type, row.display, row.strings, 0, row.description, HFILL}};
  }
  proto_register_field_array(protocol, registrations.data(), kFieldCount);
}

proto_item* AddText(proto_tree* tree, tvbuff_t* tvb, Field field, const char* text) {
  return Marked(proto_tree_add_string(tree, Id(field), tvb, 0, 0, text), field);
}

proto_item* AddFlag(proto_tree* tree, tvbuff_t* tvb, Field field, bool value) {
  return Marked(proto_tree_add_boolean(tree, Id(field), tvb, 0, 0, value ? 1 : 0), field);
}

proto_item* AddTime(proto_tree* tree, tvbuff_t* tvb, Field field, const nstime_t& time) {
  return Marked(proto_tree_add_time(tree, Id(field), tvb, 0, 0, &time), field);
}

proto_item* AddField(proto_tree* tree, tvbuff_t* tvb, const FieldValue& value) {
  struct Adder {
    proto_tree* tree;
    tvbuff_t* tvb;
    Field field;
    proto_item* operator()(const std::string& text) const {
      return AddText(tree, tvb, field, text.c_str());
    }
    proto_item* operator()(std::uint64_t number) const {
      if (kRows[static_cast<std::size_t>(field)].type == FT_UINT64) {
        return proto_tree_add_uint64(tree, Id(field), tvb, 0, 0, number);
      }
      return proto_tree_add_uint(tree, Id(field), tvb, 0, 0, static_cast<std::uint32_t>(number));
    }
    proto_item* operator()(bool flag) const { return AddFlag(tree, tvb, field, flag); }
    proto_item* operator()(const nstime_t& time) const { return AddTime(tree, tvb, field, time); }
    proto_item* operator()(ws_in4_addr address) const {
      return proto_tree_add_ipv4(tree, Id(field), tvb, 0, 0, address);
    }
    proto_item* operator()(const ws_in6_addr& address) const {
      return proto_tree_add_ipv6(tree, Id(field), tvb, 0, 0, &address);
    }
  };
  return std::visit(Adder{tree, tvb, value.field}, value.content);
}

}  // namespace cloudflaredump::dissector
