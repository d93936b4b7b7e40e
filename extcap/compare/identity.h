// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "extcap/compare/inner_packet.h"

namespace cloudflaredump::compare {

/// What two captures of one packet have in common, whatever routers did to it on the way. Left out:
/// TTL, DSCP, ECN, IP options and checksums, TCP options and checksum, UDP's checksum.
struct Identity {
  std::uint64_t headers = 0;      ///< hash of all that is compared but the payload
  std::uint64_t flow = 0;         ///< hash of addresses, protocol and ports
  std::uint64_t addressless = 0;  ///< hash of what translation of addresses leaves; 0: not enough
  std::uint16_t source_port = 0, destination_port = 0;
  bool has_ports = false;
  std::uint32_t sequence = 0, acknowledgment = 0;  ///< of TCP
  std::uint8_t tcp_flags = 0;
  std::uint32_t payload_length = 0;  ///< on the wire
  Bytes payload{};                   ///< as far as it was captured
};

inline constexpr std::uint8_t kTcpFin = 1, kTcpSyn = 2, kTcpReset = 4, kTcpAck = 16;

/// Nothing if the captured bytes end inside the headers that are compared.
std::optional<Identity> Identify(const InnerPacket& packet);

/// The key under which a fragment and its datagram meet.
std::uint64_t DatagramKey(const InnerPacket& packet);

/// The hash of the flow in the other direction.
std::uint64_t ReverseFlow(const InnerPacket& packet, const Identity& identity);

std::uint64_t HashOf(const IpAddress& address);

}  // namespace cloudflaredump::compare
