// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cloudflare_emulator {

using Bytes = std::span<const std::uint8_t>;
using ByteList = std::vector<std::uint8_t>;

/// IP protocol numbers, IPv6's extension headers among them (IANA, "Protocol Numbers").
enum Protocol : std::uint8_t {
  kHopByHop = 0,
  kIcmp = 1,
  kTcp = 6,
  kUdp = 17,
  kRouting = 43,
  kFragment = 44,
  kGre = 47,
  kAuthentication = 51,
  kIcmpv6 = 58,
  kDestinationOptions = 60,
  kSctp = 132,
  kMobility = 135,
};

/// An IPv4 address (the first four bytes; the others are 0) or an IPv6 one.
struct Address {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
};

/// "192.0.2.1" or "2001:db8::1"; nothing for any other text, prefixes such as "/24" included.
std::optional<Address> ParseAddress(const std::string& text);

/// What filter_v1 can ask of a packet, read from its outer IP header.
struct PacketFields {
  Address source;
  Address destination;
  /// IPv4's protocol; of IPv6 the first next header that is not an extension header (0, 43, 44, 51,
  /// 60, 135). None if the chain runs out of captured bytes or into a later fragment.
  std::optional<std::uint8_t> protocol{};
  /// Of TCP, UDP and SCTP only, and never of a later fragment.
  std::optional<std::uint16_t> source_port{};
  std::optional<std::uint16_t> destination_port{};
};

/// The fields of the IP packet that `packet` begins with; nothing if it is none.
std::optional<PacketFields> ReadPacketFields(Bytes packet);

/// Two bytes in network order; the caller has checked that they are there.
inline std::uint16_t Big16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

/// Appends the lower two bytes of `value` in network order.
inline void Put16(ByteList& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// Writes them over two bytes that are there.
inline void Set16(ByteList& bytes, std::size_t offset, std::size_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace cloudflare_emulator
