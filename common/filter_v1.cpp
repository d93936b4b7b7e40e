// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/filter_v1.h"

#include <jansson.h>

#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump {
namespace {

using Text = std::optional<std::string>;
using Number = std::optional<std::uint64_t>;
using Kind = FilterV1Field::Kind;

constexpr FilterV1Field kFields[] = {
    {"source_address", "Source address", Kind::kAddress, &FilterV1::source_address},
    {"source_port", "Source port", Kind::kPort, &FilterV1::source_port},
    {"destination_address", "Destination address", Kind::kAddress, &FilterV1::destination_address},
    {"destination_port", "Destination port", Kind::kPort, &FilterV1::destination_port},
    {"protocol", "Protocol", Kind::kProtocol, &FilterV1::protocol},
};

/// More than any address or network has.
constexpr std::size_t kLongestText = 60;

void Read(const json_t* object, const FilterV1Field& field, Text& into) {
  into = JsonText(object, field.name);
}
void Read(const json_t* object, const FilterV1Field& field, Number& into) {
  into = JsonNumber(object, field.name);
  if (into > field.largest()) into.reset();
}

json_t* Written(const FilterV1Field&, const Text& value) {
  return value ? MakeJson(*value) : nullptr;
}
json_t* Written(const FilterV1Field& field, const Number& value) {
  return value && *value <= field.largest() ? MakeJson(*value) : nullptr;
}

std::string Shown(const Text& value) {
  return CleanLine(*value, kLongestText);
}
std::string Shown(const Number& value) {
  return std::to_string(*value);
}

/// Calls `take(field, value)` with each field, whatever its type.
template <class Filter, class Take>
void ForEach(Filter& filter, const Take& take) {
  for (const FilterV1Field& field : kFields) {
    std::visit([&](auto member) { take(field, filter.*member); }, field.member);
  }
}

}  // namespace

std::span<const FilterV1Field> FilterV1Fields() {
  return kFields;
}

bool ReadFilterV1(const json_t* object, FilterV1& filter) {
  bool good = json_is_object(object);
  ForEach(filter, [&](const FilterV1Field& field, auto& value) {
    Read(object, field, value);
    const json_t* const told = json_object_get(object, field.name);
    good = good && (value || told == nullptr || json_is_null(told));
  });
  return good;
}

json_t* FilterV1Json(const FilterV1& filter) {
  json_t* const object = json_object();
  ForEach(filter, [&](const FilterV1Field& field, const auto& value) {
    if (json_t* const json = Written(field, value)) json_object_set_new(object, field.name, json);
  });
  return object;
}

std::string FilterV1Text(const FilterV1& filter) {
  std::string line;
  ForEach(filter, [&](const FilterV1Field& field, const auto& value) {
    if (!value) return;
    line.append(line.empty() ? "" : ", ").append(field.name).append(" ") += Shown(value);
  });
  return line;
}

FilterV1 RedactFilterV1(FilterV1 filter) {
  for (const FilterV1Field& field : kFields) {
    const auto* const member = std::get_if<Text FilterV1::*>(&field.member);
    if (member == nullptr) continue;
    Text& text = filter.**member;
    if (text) text = CleanLine(*text);
  }
  return filter;
}

}  // namespace cloudflaredump
