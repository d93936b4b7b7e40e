// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

struct json_t;

namespace cloudflaredump {

/// filter_v1 of the PCAPs API: the packets whose fields equal all that is set; nothing set means
/// every packet. Addresses are text, for the API may take more than single ones.
struct FilterV1 {
  std::optional<std::string> source_address = {};
  std::optional<std::string> destination_address = {};
  std::optional<std::uint64_t> source_port = {};
  std::optional<std::uint64_t> destination_port = {};
  std::optional<std::uint64_t> protocol = {};
  bool operator==(const FilterV1&) const = default;
};

/// A field of filter_v1: what the API, the planner's output, the capture description, the plugin,
/// `explain`, `list` and `show` know of it.
struct FilterV1Field {
  /// What its values are; says their bound and how Wireshark shows them.
  enum class Kind { kAddress, kPort, kProtocol };
  using Member = std::variant<std::optional<std::string> FilterV1::*,
                              std::optional<std::uint64_t> FilterV1::*>;
  const char* name;   ///< The API's.
  const char* label;  ///< For people.
  Kind kind;
  Member member;

  /// The largest number that a field of this kind has.
  std::uint64_t largest() const { return kind == Kind::kPort ? 65535 : 255; }
};

/// All fields, in the order of Cloudflare's examples. A new one needs a member above and a row
/// here; what else must change is the planner's Box, if filters are to be planned with it.
std::span<const FilterV1Field> FilterV1Fields();

/// Reads the fields that `object` has; null stands for a field that is not there. False if one has
/// another type or is out of range, which is then unset.
bool ReadFilterV1(const json_t* object, FilterV1& filter);

/// `filter` as the API takes it: {} if no field is set. A new reference. Numbers out of range are
/// left out.
json_t* FilterV1Json(const FilterV1& filter);

/// `filter` for people, in one line: "destination_address 192.0.2.1, protocol 6"; "" if no field is
/// set.
std::string FilterV1Text(const FilterV1& filter);

/// `filter` with secrets in its texts made unreadable, each in one line: a server wrote it.
FilterV1 RedactFilterV1(FilterV1 filter);

}  // namespace cloudflaredump
