// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/filter_v1.h"

#include <cmath>
#include <limits>

#include "tests/emulator/json.h"

namespace cloudflare_emulator {
namespace {

Outcome<std::optional<Address>> ReadAddressMember(const json_t* object, const char* name,
                                                  bool accept_ipv6) {
  const json_t* value = json_object_get(object, name);
  if (!value) return std::nullopt;
  const auto text = TextOf(value);
  if (!text) return std::unexpected(Text("filter_v1.%s must be a string", name));
  const auto address = ParseAddress(*text);
  if (!address || (address->ipv6 && !accept_ipv6)) {
    return std::unexpected(
        Text("filter_v1.%s must be one %s address", name, accept_ipv6 ? "IPv4 or IPv6" : "IPv4"));
  }
  return address;
}

template <class Integer>
Outcome<std::optional<Integer>> ReadNumberMember(const json_t* object, const char* name) {
  const json_t* value = json_object_get(object, name);
  if (!value) return std::nullopt;
  if (!json_is_number(value)) return std::unexpected(Text("filter_v1.%s must be a number", name));
  const double number = json_number_value(value);
  constexpr double kMost = std::numeric_limits<Integer>::max();
  if (number != std::floor(number) || number < 0 || number > kMost) {
    return std::unexpected(Text("filter_v1.%s must be a whole number from 0 to %.0f", name, kMost));
  }
  return static_cast<Integer>(number);
}

/// Puts what was read into its place, or says why not; chains several in one expression.
template <class T>
bool Take(Outcome<std::optional<T>> read, std::optional<T>& place, std::string& problem) {
  if (read) {
    place = *read;
  } else {
    problem = read.error();
  }
  return read.has_value();
}

template <class T>
bool Holds(const std::optional<T>& wanted, const std::optional<T>& found) {
  return !wanted || wanted == found;
}

}  // namespace

bool FilterV1::empty() const {
  return !source_address && !destination_address && !source_port && !destination_port && !protocol;
}

Outcome<FilterV1> ReadFilterV1(const json_t* value, bool accept_ipv6) {
  FilterV1 filter;
  if (!value) return filter;
  if (!json_is_object(value)) return std::unexpected("filter_v1 must be an object");
  std::string problem;
  const bool good =
      Take(ReadAddressMember(value, "source_address", accept_ipv6), filter.source_address,
           problem) &&
      Take(ReadAddressMember(value, "destination_address", accept_ipv6), filter.destination_address,
           problem) &&
      Take(ReadNumberMember<std::uint16_t>(value, "source_port"), filter.source_port, problem) &&
      Take(ReadNumberMember<std::uint16_t>(value, "destination_port"), filter.destination_port,
           problem) &&
      Take(ReadNumberMember<std::uint8_t>(value, "protocol"), filter.protocol, problem);
  if (!good) return std::unexpected(problem);
  return filter;
}

bool Matches(const FilterV1& filter, const Record& record) {
  if (filter.empty()) return true;
  const auto ip = FindIpHeader(record);
  if (!ip) return false;
  const auto fields = ReadPacketFields(Bytes(record.bytes).subspan(*ip));
  return fields && Holds(filter.source_address, std::optional(fields->source)) &&
         Holds(filter.destination_address, std::optional(fields->destination)) &&
         Holds(filter.source_port, fields->source_port) &&
         Holds(filter.destination_port, fields->destination_port) &&
         Holds(filter.protocol, fields->protocol);
}

}  // namespace cloudflare_emulator
