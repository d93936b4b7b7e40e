// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/packet_fields.h"

#include <arpa/inet.h>

#include <algorithm>

namespace cloudflare_emulator {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;

Address ReadAddress(Bytes packet, std::size_t offset, bool ipv6) {
  Address address{.ipv6 = ipv6};
  std::copy_n(packet.begin() + static_cast<std::ptrdiff_t>(offset), ipv6 ? 16 : 4,
              address.bytes.begin());
  return address;
}

void ReadPorts(Bytes transport, PacketFields& fields) {
  const bool has_ports =
      fields.protocol == kTcp || fields.protocol == kUdp || fields.protocol == kSctp;
  if (!has_ports || transport.size() < 4) return;
  fields.source_port = Big16(transport, 0);
  fields.destination_port = Big16(transport, 2);
}

std::optional<PacketFields> ReadIpv4(Bytes packet) {
  if (packet.size() < kIpv4Header) return std::nullopt;
  PacketFields fields{.source = ReadAddress(packet, 12, false),
                      .destination = ReadAddress(packet, 16, false),
                      .protocol = packet[9]};
  const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
  const bool later_fragment = (Big16(packet, 6) & 0x1fff) != 0;
  if (!later_fragment && header >= kIpv4Header && header <= packet.size()) {
    ReadPorts(packet.subspan(header), fields);
  }
  return fields;
}

bool IsExtension(std::uint8_t next) {
  return next == kHopByHop || next == kRouting || next == kFragment || next == kAuthentication ||
         next == kDestinationOptions || next == kMobility;
}

std::size_t ExtensionLength(std::uint8_t kind, Bytes extension) {
  if (kind == kFragment) return 8;
  if (kind == kAuthentication) {
    return (std::size_t{extension[1]} + 2) * 4;  // RFC 4302: in units of 4 bytes.
  }
  return (std::size_t{extension[1]} + 1) * 8;
}

/// Goes along the chain of headers after the fixed one (RFC 8200 section 4).
void ReadIpv6Chain(std::uint8_t next, Bytes rest, PacketFields& fields) {
  bool later_fragment = false;
  while (IsExtension(next)) {
    // In a later fragment what follows is data, whatever the next header is called.
    if (later_fragment || rest.size() < 8) return;
    if (next == kFragment) later_fragment = (Big16(rest, 2) & 0xfff8) != 0;
    const std::size_t length = ExtensionLength(next, rest);
    next = rest[0];
    rest = rest.subspan(std::min(length, rest.size()));
  }
  fields.protocol = next;
  if (!later_fragment) ReadPorts(rest, fields);
}

std::optional<PacketFields> ReadIpv6(Bytes packet) {
  if (packet.size() < kIpv6Header) return std::nullopt;
  PacketFields fields{.source = ReadAddress(packet, 8, true),
                      .destination = ReadAddress(packet, 24, true)};
  ReadIpv6Chain(packet[6], packet.subspan(kIpv6Header), fields);
  return fields;
}

}  // namespace

std::optional<Address> ParseAddress(const std::string& text) {
  Address address;
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.ipv6 = true;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<PacketFields> ReadPacketFields(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4:
      return ReadIpv4(packet);
    case 6:
      return ReadIpv6(packet);
    default:
      return std::nullopt;
  }
}

}  // namespace cloudflare_emulator
