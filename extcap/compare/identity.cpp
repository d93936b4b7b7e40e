// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/identity.h"

#include <cstring>

#include "extcap/compare/hash.h"
#include "extcap/filter/big_endian.h"

namespace cloudflaredump::compare {
namespace {

using filter::Big16;
using filter::Big32;
using filter::Byte;

std::uint64_t FlowHash(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                       std::uint32_t source_port, std::uint32_t destination_port) {
  const std::uint64_t addresses = Mix(HashOf(source), HashOf(destination));
  return Mix(addresses, std::uint64_t{protocol} << 32 | source_port << 16 | destination_port);
}

bool HasPorts(std::uint8_t protocol) {
  for (const std::uint8_t known : filter::kPortProtocols) {
    if (protocol == known) return true;
  }
  return false;
}

}  // namespace

std::uint64_t HashOf(const IpAddress& address) {
  std::uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof(halves));
  return Mix(Mix(static_cast<std::uint64_t>(address.version), halves[0]), halves[1]);
}

std::uint64_t DatagramKey(const InnerPacket& packet) {
  const std::uint64_t addresses = Mix(HashOf(packet.source), HashOf(packet.destination));
  return Mix(addresses, std::uint64_t{packet.identification} << 8 | packet.protocol);
}

std::uint64_t ReverseFlow(const InnerPacket& packet, const Identity& identity) {
  return FlowHash(packet.destination, packet.source, packet.protocol, identity.destination_port,
                  identity.source_port);
}

std::optional<Identity> Identify(const InnerPacket& packet) {
  Identity identity;
  const Bytes held = packet.held;
  // How much of the layer 4 header is compared here, and where the payload begins.
  std::size_t header = 0;
  std::uint64_t numbers = 0;
  switch (packet.protocol) {
    case filter::kProtocolTcp:
      if (packet.length < 20) break;
      if (held.size() < 14) return std::nullopt;
      header = std::size_t{4} * (Byte(held, 12) >> 4);
      if (header < 20 || header > packet.length) {
        header = 0;
        break;
      }
      identity.sequence = Big32(held, 4);
      identity.acknowledgment = Big32(held, 8);
      identity.tcp_flags = static_cast<std::uint8_t>(Byte(held, 13));
      numbers =
          Mix(std::uint64_t{identity.sequence} << 32 | identity.acknowledgment, identity.tcp_flags);
      break;
    case filter::kProtocolUdp:
      if (packet.length < 8) break;
      if (held.size() < 4) return std::nullopt;
      header = 8;
      break;
    case filter::kProtocolSctp:
      if (packet.length < 12) break;
      if (held.size() < 8) return std::nullopt;
      header = 12;
      numbers = Big32(held, 4);  // verification tag
      break;
    case kIcmp:
    case kIcmpv6:
      if (packet.length < 8) break;
      if (held.size() < 8) return std::nullopt;
      header = 8;
      numbers = std::uint64_t{Big16(held, 0)} << 32 | Big32(held, 4);
      break;
    default:
      break;
  }
  if (header == 0 && packet.length > 0 && held.empty()) return std::nullopt;
  if (header != 0 && HasPorts(packet.protocol)) {
    identity.has_ports = true;
    identity.source_port = static_cast<std::uint16_t>(Big16(held, 0));
    identity.destination_port = static_cast<std::uint16_t>(Big16(held, 2));
  }
  identity.payload_length = packet.length - static_cast<std::uint32_t>(header);
  identity.payload = held.subspan(std::min(header, held.size()));
  identity.flow = FlowHash(packet.source, packet.destination, packet.protocol, identity.source_port,
                           identity.destination_port);
  // IPv6 has an identification only in fragments, which the other side may not have seen.
  const std::uint32_t id = packet.source.version == 4 ? packet.identification : 0;
  const std::uint64_t rest =
      Mix(Mix(numbers, std::uint64_t{identity.payload_length} << 32 | id), packet.protocol);
  identity.headers = Mix(identity.flow, rest);
  if (id != 0 || packet.protocol == filter::kProtocolTcp) identity.addressless = rest | 1;
  return identity;
}

}  // namespace cloudflaredump::compare
