// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/capture_interfaces.h"

#include <wiretap/wtap.h>
#include <wsutil/inet_addr.h>

#include <optional>
#include <string_view>
#include <utility>

#include "common/description_sentence.h"
#include "common/readable_line.h"
#include "dissector/wireshark_time.h"
#include "dissector/wireshark_version.h"

namespace cloudflaredump::dissector {
namespace {

using Text = std::optional<std::string>;

void MakePrintable(CaptureDescription& d) {
  for (Text* text :
       {&d.pcap_id, &d.type, &d.system, &d.status, &d.submitted, &d.offset_time, &d.colo,
        &d.destination_conf, &d.stop_requested, &d.error_message, &d.filter_v1.source_address,
        &d.filter_v1.destination_address, &d.capture_filter, &d.object, &d.coverage_first,
        &d.coverage_last, &d.left_out}) {
    if (*text) **text = PrintableText(**text);
  }
}

/// Collects the fields of one interface.
class FieldList {
 public:
  explicit FieldList(CaptureInterface& interface) : interface_(interface) {}

  template <class Value>
  void Add(Field field, const std::optional<Value>& value) {
    if (value) interface_.fields.emplace_back(field, *value);
  }

  void AddMoment(Field field, std::string_view name, const Text& value) {
    if (!value) return;
    if (const auto time = ToWireshark(*value)) {
      interface_.fields.emplace_back(field, *time);
    } else {
      interface_.unreadable +=
          interface_.unreadable.empty() ? "The capture description has no time in " : ", ";
      interface_.unreadable += name;
    }
  }

 private:
  CaptureInterface& interface_;
};

/// The fields an address may become; the API may have accepted more than single addresses.
struct AddressFields {
  Field ipv4;
  Field ipv6;
  Field text;
};

void AddAddress(std::vector<FieldValue>& fields, const AddressFields& as, const Text& address) {
  if (!address) return;
  ws_in4_addr ipv4 = 0;
  ws_in6_addr ipv6 = {};
  if (ws_inet_pton4(address->c_str(), &ipv4)) {
    fields.emplace_back(as.ipv4, ipv4);
  } else if (ws_inet_pton6(address->c_str(), &ipv6)) {
    fields.emplace_back(as.ipv6, ipv6);
  } else {
    fields.emplace_back(as.text, *address);
  }
}

void CollectFilterFields(CaptureInterface& interface) {
  const auto& filter = interface.description.filter_v1;
  auto& fields = interface.filter_fields;
  AddAddress(fields, {Field::kSourceAddress, Field::kSourceAddressIpv6, Field::kSourceAddressText},
             filter.source_address);
  AddAddress(
      fields,
      {Field::kDestinationAddress, Field::kDestinationAddressIpv6, Field::kDestinationAddressText},
      filter.destination_address);
  for (const auto& [field, value] : {std::pair(Field::kSourcePort, filter.source_port),
                                     std::pair(Field::kDestinationPort, filter.destination_port),
                                     std::pair(Field::kProtocol, filter.protocol)}) {
    if (value) fields.emplace_back(field, *value);
  }
}

/// `text` as a JSON string.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      constexpr char kHex[] = "0123456789abcdef";
      quoted.append("\\u00") += {kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]};
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string FilterJson(const CaptureDescription::FilterV1& filter) {
  std::string json;
  const auto add = [&json](std::string_view name, std::string_view value) {
    json.append(json.empty() ? "" : ",").append(Quoted(name)).append(":").append(value);
  };
  if (filter.source_address) add("source_address", Quoted(*filter.source_address));
  if (filter.destination_address) add("destination_address", Quoted(*filter.destination_address));
  if (filter.source_port) add("source_port", std::to_string(*filter.source_port));
  if (filter.destination_port) add("destination_port", std::to_string(*filter.destination_port));
  if (filter.protocol) add("protocol", std::to_string(*filter.protocol));
  return "{" + json + "}";
}

void CollectFields(CaptureInterface& interface) {
  const CaptureDescription& d = interface.description;
  FieldList list(interface);
  list.Add(Field::kPcapId, d.pcap_id);
  list.Add(Field::kType, d.type);
  list.Add(Field::kSystem, d.system);
  list.Add(Field::kStatus, d.status);
  list.Add(Field::kColo, d.colo);
  if (interface.colo != nullptr) {
    list.Add(Field::kColoCity, Text(interface.colo->city));
    list.Add(Field::kColoCountry, Text(interface.colo->country));
  }
  list.AddMoment(Field::kSubmitted, "submitted", d.submitted);
  list.Add(Field::kTimeLimit, d.time_limit);
  list.Add(Field::kPacketLimit, d.packet_limit);
  list.Add(Field::kByteLimit, d.byte_limit);
  list.AddMoment(Field::kOffsetTime, "offset_time", d.offset_time);
  list.Add(Field::kDestinationConf, d.destination_conf);
  list.AddMoment(Field::kStopRequested, "stop_requested", d.stop_requested);
  list.Add(Field::kPacketsCaptured, d.packets_captured);
  list.Add(Field::kErrorMessage, d.error_message);
  if (d.pcap_id || d.type) list.Add(Field::kFilterV1, Text(interface.filter_json));
  list.Add(Field::kCaptureFilter, d.capture_filter);
  list.Add(Field::kRequest, d.request);
  list.Add(Field::kRequests, d.requests);
  list.Add(Field::kPart, d.part);
  list.Add(Field::kParts, d.parts);
  list.Add(Field::kObject, d.object);
  list.Add(Field::kLate, d.late);
  list.AddMoment(Field::kCoverageFirst, "coverage.first", d.coverage_first);
  list.AddMoment(Field::kCoverageLast, "coverage.last", d.coverage_last);
  list.Add(Field::kLimitReached, d.limit_reached);
  list.Add(Field::kResidualMismatch, d.residual_mismatch);
  list.Add(Field::kEndUncertain, d.end_uncertain);
  list.Add(Field::kLeftOut, d.left_out);
}

std::string Summary(const CaptureInterface& interface) {
  if (interface.sample()) return "[Cloudflare sample]";
  if (!interface.description.colo) return "[Cloudflare]";
  return "[Cloudflare " + ReadableLine(*interface.description.colo, 12) + "]";
}

/// Everything about an interface that one reading of its description can give.
void MakeReady(CaptureInterface& interface) {
  if (interface.verdict == ParseVerdict::kMalformed) {
    interface.description = {};
    interface.title = "Cloudflare capture, description malformed";
    interface.summary = "[Cloudflare]";
    return;
  }
  CaptureDescription& description = interface.description;
  MakePrintable(description);
  if (description.colo) interface.colo = FindColo(*description.colo);
  interface.title = DescriptionTitle(description);
  interface.summary = Summary(interface);
  interface.filter_json = FilterJson(description.filter_v1);
  CollectFields(interface);
  CollectFilterFields(interface);
}

}  // namespace

void CaptureInterface::See(std::uint32_t frame, bool cut) {
  const auto keep_first = [frame](std::uint32_t& first) {
    if (first == 0 || frame < first) first = frame;
  };
  keep_first(first_frame);
  keep_first(capture->first_frame);
  if (cut) keep_first(first_cut_frame);
  if (description.residual_mismatch == true) keep_first(capture->first_mismatch_frame);
  if (description.limit_reached == true) keep_first(capture->first_limit_frame);
}

CaptureInterface* CaptureInterfaces::Of(const packet_info& pinfo) {
  const wtap_rec* const record = pinfo.rec;
  if (record->rec_type != REC_TYPE_PACKET ||
      (record->presence_flags & WTAP_HAS_INTERFACE_ID) == 0) {
    return nullptr;
  }
  const bool has_section = (record->presence_flags & WTAP_HAS_SECTION_NUMBER) != 0;
  const Key section = has_section ? record->section_number : 0;
  const Key key = (section << 32) | record->rec_header.packet_header.interface_id;
  if (key != last_key_) {
    auto known = interfaces_.find(key);
    if (known == interfaces_.end()) known = interfaces_.emplace(key, Read(pinfo, key)).first;
    last_key_ = key;
    last_ = known->second.get();
  }
  return last_;
}

std::unique_ptr<CaptureInterface> CaptureInterfaces::Read(const packet_info& pinfo, Key key) {
  const auto section = static_cast<std::uint32_t>(key >> 32);
  auto interface = std::make_unique<CaptureInterface>();
  if (section != 0 && !wireshark::kKnowsSections) {
    // Said only in files that have something of ours.
    if (captures_.empty() || std::exchange(other_section_said_, true)) return nullptr;
    interface->other_section = true;
    interface->title = "Cloudflare captures in further sections of the file";
    interface->capture = &captures_.begin()->second;
    return interface;
  }
  const char* const text =
      wireshark::InterfaceDescription(pinfo.epan, static_cast<std::uint32_t>(key), section);
  if (text == nullptr) return nullptr;
  interface->verdict = ParseCaptureDescription(text, interface->description);
  if (interface->verdict == ParseVerdict::kNotOurs) return nullptr;
  MakeReady(*interface);
  const std::string unnamed = "interface " + std::to_string(key);
  interface->capture = &captures_[interface->description.pcap_id.value_or(unnamed)];
  return interface;
}

void CaptureInterfaces::Clear() {
  *this = CaptureInterfaces();
}

}  // namespace cloudflaredump::dissector
