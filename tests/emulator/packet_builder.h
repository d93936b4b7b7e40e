// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/emulator/packet_fields.h"

namespace cloudflare_emulator {

/// Two ends of a conversation; both addresses are of one family.
struct Ends {
  Address source;
  Address destination;
  Ends Reversed() const { return {destination, source}; }
};

enum TcpFlags : std::uint8_t { kFin = 1, kSyn = 2, kPush = 8, kAck = 16 };

struct TcpSegment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint8_t flags = 0;
  ByteList data;
};

/// Whole IP packets, checksums included.
ByteList TcpPacket(const Ends& ends, const TcpSegment& segment);
ByteList UdpPacket(const Ends& ends, std::uint16_t source_port, std::uint16_t destination_port,
                   const ByteList& data);
/// ICMP or, between IPv6 addresses, ICMPv6 echo.
ByteList EchoPacket(const Ends& ends, bool reply, std::uint16_t identifier, std::uint16_t sequence,
                    const ByteList& data);
/// `inner`, an IPv4 packet, in GRE (RFC 2784) between IPv4 addresses.
ByteList GrePacket(const Ends& ends, const ByteList& inner);

/// A DNS query for `name`, type A or AAAA; or its answer with one record that holds `address`.
ByteList DnsQuery(std::uint16_t id, const std::string& name, bool ipv6);
ByteList DnsAnswer(std::uint16_t id, const std::string& name, const Address& address);

/// A TLS 1.2 ClientHello that asks for `server_name`.
ByteList TlsClientHello(const std::string& server_name, const ByteList& random);
/// A TLS record of application data.
ByteList TlsData(const ByteList& data);

}  // namespace cloudflare_emulator
