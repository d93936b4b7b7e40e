// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <jansson.h>

#include <cstdint>
#include <optional>

#include "tests/emulator/link_layer.h"
#include "tests/emulator/packet_fields.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// The API's packet filter: the conditions that are set must all hold.
struct FilterV1 {
  std::optional<Address> source_address;
  std::optional<Address> destination_address;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::optional<std::uint8_t> protocol;

  /// "When this field is empty, all packets are captured", those without an IP header too.
  bool empty() const;
};

/// Reads `filter_v1`; null means empty. The schema knows only types (string, number). What the
/// words of the documentation leave no sense to is refused too: text that is no single address,
/// numbers that are no port or protocol. Unknown members pass, as the schema lets them.
/// With `accept_ipv6` off, IPv6 addresses are refused (Cloudflare documents IPv4 ones only).
Outcome<FilterV1> ReadFilterV1(const json_t* value, bool accept_ipv6);

/// A port condition does not hold for a packet without ports, an address of one family not for the
/// other.
bool Matches(const FilterV1& filter, const Record& record);

}  // namespace cloudflare_emulator
