// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/capture_description.h"

#include <jansson.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "common/description_sentence.h"
#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump {
namespace {

constexpr std::string_view kSeparator = " | ";
constexpr std::string_view kMagic = "cloudflaredump:";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kLargestMachinePart = 4096;  // Magic included.
constexpr std::size_t kLongestDamage = 1000;

using Text = std::optional<std::string>;
using Number = std::optional<std::uint64_t>;
using Flag = std::optional<bool>;
using D = CaptureDescription;
using M = PacketMark;
using enum FieldKind;

constexpr DescribedField<D> kDescriptionFields[] = {
    {"pcap_id", "Capture", kText, &D::pcap_id, "The capture's id at Cloudflare"},
    {"type", "Type", kText, &D::type,
     "simple (a sample, from all data centers) or full (every packet, at one data center)"},
    {"system", "System", kText, &D::system, "What captured, such as magic-transit"},
    {"status", "Status", kText, &D::status, "The capture's status when these packets were fetched"},
    {"colo", "Data center", kText, &D::colo,
     "Where a full capture was taken: one site (ord02) or all of a city (ORD)"},
    {"submitted", "Submitted", kTime, &D::submitted, "When the capture was requested"},
    {"time_limit", "Time limit", kSeconds, &D::time_limit, "How long the capture was to last"},
    {"packet_limit", "Packet limit", kPackets, &D::packet_limit,
     "After how many packets Cloudflare was to end the capture"},
    {"byte_limit", "Byte limit", kBytes, &D::byte_limit,
     "After how many bytes Cloudflare was to end the capture"},
    {"offset_time", "Offset time", kTime, &D::offset_time,
     "The end of a sample's window, which reaches back by the time limit"},
    {"destination_conf", "Destination", kText, &D::destination_conf,
     "The bucket that Cloudflare wrote a full capture to, without secrets"},
    {"stop_requested", "Stop requested", kTime, &D::stop_requested,
     "When the capture was asked to stop before its limits"},
    {"packets_captured", "Packets captured", kPackets, &D::packets_captured,
     "How many packets Cloudflare says it captured"},
    {"error_message", "Error message", kText, &D::error_message, "What Cloudflare says went wrong"},
    {"filter_v1", "Filter at Cloudflare", kFilter, &D::filter_v1,
     "What Cloudflare was asked to capture, as JSON; {} is everything"},
    {"capture_filter", "Capture filter", kText, &D::capture_filter,
     "The whole filter that was asked for; every packet was tested with it after Cloudflare's"},
    {"window", "Window", kCount, &D::window, "Which window of a live capture the packet is from"},
    {"request", "Request", kCount, &D::request,
     "Which request to Cloudflare brought this packet, where the filter took several"},
    {"requests", "Requests", kCount, &D::requests,
     "How many requests to Cloudflare the filter took"},
    {"file", "File", kCount, &D::file,
     "Which file of the capture the packet comes from: one for each machine"},
    {"files", "Files", kCount, &D::files, "How many files the capture has"},
    {"object", "Object", kText, &D::object, "The name of that file in the bucket"},
    {"late", "Late", kFlag, &D::late,
     "Whether the file was found late, so that its packets are out of order"},
    {"coverage.first", "First time covered", kTime, &D::coverage_first,
     "From when on packets were received"},
    {"coverage.last", "Last time covered", kTime, &D::coverage_last,
     "Until when packets were received"},
    {"coverage.share", "Share covered", kPercent, &D::coverage_share,
     "How much of its window's time a sample covers that a limit ended"},
    {"limit_reached", "Limit reached", kFlag, &D::limit_reached,
     "Whether Cloudflare's limit ended the capture, so that later packets are missing; absent if "
     "that is not known"},
    {"residual_mismatch", "Filter mismatch", kFlag, &D::residual_mismatch,
     "Whether no packet that Cloudflare sent matched the filter, so that all were kept"},
    {"end_uncertain", "End uncertain", kFlag, &D::end_uncertain,
     "Whether only the connection's close ended the download: packets may be missing"},
    {"left_out", "Left out", kText, &D::left_out, "What the capture description had no room for"},
};

constexpr DescribedField<M> kMarkFields[] = {
    {"undecided", "Undecided", kFlag, &M::undecided,
     "Whether the filter could not be decided for the packet (cut too short, or not testable); "
     "absent if it was decided"},
    {"damaged", "Damaged", kText, &M::damaged,
     "What was lost after this packet; absent if nothing was"},
    {"limit_reached", "Limit reached", kFlag, &M::limit_reached, ""},  // As in the description.
    {"coverage.first", "First time covered", kTime, &M::coverage_first, ""},
    {"coverage.last", "Last time covered", kTime, &M::coverage_last, ""},
    {"compare.arrived", "Arrived", kFlag, &M::arrived,
     "Whether the packet was seen at the routers; absent if it was not compared"},
    {"compare.delay", "Delay", kNanoseconds, &M::delay,
     "How much later than the fastest packet of its file it arrived"},
    {"compare.local_frame", "Local frame", kCount, &M::local_frame,
     "The number of the frame in the router's capture"},
    {"compare.copies", "Copies", kCount, &M::copies,
     "How many records of the routers' captures are this packet"},
    {"compare.local_file", "Local file", kText, &M::local_file,
     "The router's capture that has the packet"},
};

/// A JSON value, or null for a field that is not set.
json_t* Written(FieldKind, const Text& value) {
  return value ? MakeJson(Redact(*value)) : nullptr;
}
json_t* Written(FieldKind kind, const Number& value) {
  return value && *value <= LargestNumber(kind) ? MakeJson(*value) : nullptr;
}
json_t* Written(FieldKind, const Flag& value) {
  return value ? json_boolean(*value) : nullptr;
}
json_t* Written(FieldKind, bool value) {
  return value ? json_true() : nullptr;
}
json_t* Written(FieldKind, const FilterV1& value) {
  return value == FilterV1() ? nullptr : FilterV1Json(value);
}

/// Read the member `name`, which `object` has. False if it is not what it should be.
bool Read(const json_t* object, const char* name, FieldKind, Text& into) {
  return (into = JsonText(object, name)).has_value();
}
bool Read(const json_t* object, const char* name, FieldKind kind, Number& into) {
  return (into = JsonNumber(object, name)) && *into <= LargestNumber(kind);
}
bool Read(const json_t* object, const char* name, FieldKind, bool& into) {
  const json_t* const value = json_object_get(object, name);
  into = json_is_true(value);
  return json_is_boolean(value);
}
bool Read(const json_t* object, const char* name, FieldKind kind, Flag& into) {
  return Read(object, name, kind, into.emplace());
}
bool Read(const json_t* object, const char* name, FieldKind, FilterV1& into) {
  return ReadFilterV1(json_object_get(object, name), into);
}

/// `value` without what may not stand in the machine part: bytes that are not printable ASCII, and
/// the bar, so that the separator cannot be quoted there.
std::string Escaped(const json_t* value) {
  std::string escaped;
  for (const char c : DumpJson(value, JSON_COMPACT | JSON_ENSURE_ASCII)) {
    if (c == '|' || c == '\x7f') {
      escaped += Format("\\u%04x", c);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

/// The field to do without next; null if there is none left.
template <class T>
const char* LeastImportant(const json_t* object, std::span<const DescribedField<T>> fields) {
  constexpr std::array kFirst = {"error_message", "object", "capture_filter", "destination_conf"};
  const auto has = [object](const char* name) { return json_object_get(object, name) != nullptr; };
  const auto first = std::ranges::find_if(kFirst, has);
  if (first != kFirst.end()) return *first;
  for (const auto& field : std::views::reverse(fields)) {
    if (has(field.name) && std::string_view(field.name) != "left_out") return field.name;
  }
  return nullptr;
}

/// The line for `values`, less those that do not fit.
template <class T>
std::string Line(const std::string& sentence, const T& values,
                 std::span<const DescribedField<T>> fields) {
  const Json object(json_object());
  json_object_set_new(object.get(), "version", MakeJson(kVersion));
  for (const auto& field : fields) {
    json_t* const value =
        std::visit([&](auto member) { return Written(field.kind, values.*member); }, field.member);
    if (value != nullptr) json_object_set_new(object.get(), field.name, value);
  }
  json_object_del(object.get(), "left_out");
  std::string machine = Escaped(object.get());
  std::string left_out;
  while (machine.size() + kMagic.size() > kLargestMachinePart) {
    const char* const least = LeastImportant(object.get(), fields);
    if (least == nullptr) break;
    left_out.append(left_out.empty() ? "" : ",").append(least);
    json_object_del(object.get(), least);
    json_object_set_new(object.get(), "left_out", MakeJson(left_out));
    machine = Escaped(object.get());
  }
  return sentence + std::string(kSeparator).append(kMagic) + machine;
}

template <class T>
ParseVerdict Parse(std::string_view text, std::span<const DescribedField<T>> fields, T& into) {
  into = {};
  const std::size_t at = text.rfind(std::string(kSeparator).append(kMagic));
  if (at == std::string_view::npos) return ParseVerdict::kNotOurs;
  text.remove_prefix(at + kSeparator.size());
  if (text.size() > kLargestMachinePart) return ParseVerdict::kMalformed;
  text.remove_prefix(kMagic.size());
  const Json object(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
  if (json_integer_value(json_object_get(object.get(), "version")) <= 0) {
    return ParseVerdict::kMalformed;
  }
  T values;
  for (const auto& field : fields) {
    const bool good =
        json_object_get(object.get(), field.name) == nullptr ||
        std::visit(
            [&](auto member) { return Read(object.get(), field.name, field.kind, values.*member); },
            field.member);
    if (!good) return ParseVerdict::kMalformed;
  }
  into = std::move(values);
  return ParseVerdict::kGood;
}

}  // namespace

std::span<const DescribedField<CaptureDescription>> DescriptionFields() {
  return kDescriptionFields;
}

std::span<const DescribedField<PacketMark>> MarkFields() {
  return kMarkFields;
}

std::string WriteCaptureDescription(const CaptureDescription& description) {
  return Line(DescriptionSentence(description), description, DescriptionFields());
}

std::string WritePacketMark(const PacketMark& mark) {
  PacketMark bounded = mark;
  if (mark.damaged) bounded.damaged = CleanLine(*mark.damaged, kLongestDamage);
  return Line(MarkSentence(bounded), bounded, MarkFields());
}

ParseVerdict ParseCaptureDescription(std::string_view text, CaptureDescription& description) {
  return Parse(text, DescriptionFields(), description);
}

ParseVerdict ParsePacketMark(std::string_view text, PacketMark& mark) {
  return Parse(text, MarkFields(), mark);
}

}  // namespace cloudflaredump
