// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/packet_builder.h"

#include <algorithm>

namespace cloudflare_emulator {
namespace {

void Put8(ByteList& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value));
}

void Put32(ByteList& out, std::uint32_t value) {
  Put16(out, value >> 16);
  Put16(out, value & 0xffff);
}

void Put(ByteList& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void Put(ByteList& out, const Address& address) {
  Put(out, Bytes(address.bytes).first(address.ipv6 ? 16 : 4));
}

/// The Internet checksum (RFC 1071).
std::uint16_t Checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += Big16(bytes, i);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// The checksum of `payload` with the pseudo header of its IP version before it.
std::uint16_t TransportChecksum(const Ends& ends, std::uint8_t protocol, Bytes payload) {
  ByteList covered;
  Put(covered, ends.source);
  Put(covered, ends.destination);
  Put32(covered, static_cast<std::uint32_t>(payload.size()));
  Put32(covered, protocol);
  Put(covered, payload);
  return Checksum(covered);
}

ByteList IpPacket(const Ends& ends, std::uint8_t protocol, const ByteList& payload) {
  ByteList out;
  const auto length = static_cast<unsigned>(payload.size());
  if (ends.source.ipv6) {
    Put32(out, 0x60000000);
    Put16(out, length);
    Put8(out, protocol);
    Put8(out, 64);
  } else {
    Put16(out, 0x4500);
    Put16(out, length + 20);
    Put32(out, 0x00004000);  // identification 0, don't fragment
    Put8(out, 64);
    Put8(out, protocol);
    Put16(out, 0);
  }
  Put(out, ends.source);
  Put(out, ends.destination);
  if (!ends.source.ipv6) Set16(out, 10, Checksum(out));
  Put(out, payload);
  return out;
}

void PutName(ByteList& out, const std::string& name) {
  for (std::size_t start = 0; start < name.size();) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    Put8(out, static_cast<unsigned>(end - start));
    out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(start),
               name.begin() + static_cast<std::ptrdiff_t>(end));
    start = end + 1;
  }
  Put8(out, 0);
}

ByteList DnsMessage(std::uint16_t id, unsigned flags, unsigned answers, const std::string& name,
                    bool ipv6) {
  ByteList out;
  for (const unsigned word : {unsigned{id}, flags, 1U, answers, 0U, 0U}) Put16(out, word);
  PutName(out, name);
  Put16(out, ipv6 ? 28 : 1);
  Put16(out, 1);
  return out;
}

/// `content` with its length before it.
ByteList Vector16(const ByteList& content) {
  ByteList out;
  Put16(out, static_cast<unsigned>(content.size()));
  Put(out, content);
  return out;
}

ByteList ServerNameExtension(const std::string& server_name) {
  ByteList entry = {0};  // host_name
  Put(entry, Vector16(ByteList(server_name.begin(), server_name.end())));
  ByteList out = {0, 0};
  Put(out, Vector16(Vector16(entry)));
  return out;
}

ByteList TlsRecord(std::uint8_t type, std::uint16_t version, const ByteList& content) {
  ByteList out = {type};
  Put16(out, version);
  Put(out, Vector16(content));
  return out;
}

}  // namespace

ByteList TcpPacket(const Ends& ends, const TcpSegment& segment) {
  const bool syn = (segment.flags & kSyn) != 0;
  ByteList out;
  Put16(out, segment.source_port);
  Put16(out, segment.destination_port);
  Put32(out, segment.sequence);
  Put32(out, segment.acknowledged);
  Put8(out, syn ? 0x60 : 0x50);
  Put8(out, segment.flags);
  Put16(out, 64240);
  Put32(out, 0);
  if (syn) Put32(out, 0x020405b4);  // maximum segment size 1460
  Put(out, segment.data);
  Set16(out, 16, TransportChecksum(ends, kTcp, out));
  return IpPacket(ends, kTcp, out);
}

ByteList UdpPacket(const Ends& ends, std::uint16_t source_port, std::uint16_t destination_port,
                   const ByteList& data) {
  ByteList out;
  Put16(out, source_port);
  Put16(out, destination_port);
  Put16(out, static_cast<unsigned>(data.size() + 8));
  Put16(out, 0);
  Put(out, data);
  const std::uint16_t sum = TransportChecksum(ends, kUdp, out);
  Set16(out, 6, sum == 0 ? 0xffff : sum);
  return IpPacket(ends, kUdp, out);
}

ByteList EchoPacket(const Ends& ends, bool reply, std::uint16_t identifier, std::uint16_t sequence,
                    const ByteList& data) {
  const bool ipv6 = ends.source.ipv6;
  ByteList out;
  Put8(out, ipv6 ? (reply ? 129 : 128) : (reply ? 0 : 8));
  Put8(out, 0);
  Put16(out, 0);
  Put16(out, identifier);
  Put16(out, sequence);
  Put(out, data);
  Set16(out, 2, ipv6 ? TransportChecksum(ends, kIcmpv6, out) : Checksum(out));
  return IpPacket(ends, ipv6 ? kIcmpv6 : kIcmp, out);
}

ByteList GrePacket(const Ends& ends, const ByteList& inner) {
  ByteList out = {0, 0, 0x08, 0};
  Put(out, inner);
  return IpPacket(ends, kGre, out);
}

ByteList DnsQuery(std::uint16_t id, const std::string& name, bool ipv6) {
  return DnsMessage(id, 0x0100, 0, name, ipv6);
}

ByteList DnsAnswer(std::uint16_t id, const std::string& name, const Address& address) {
  ByteList out = DnsMessage(id, 0x8180, 1, name, address.ipv6);
  Put16(out, 0xc00c);
  Put16(out, address.ipv6 ? 28 : 1);
  Put16(out, 1);
  Put32(out, 300);
  Put16(out, address.ipv6 ? 16 : 4);
  Put(out, address);
  return out;
}

ByteList TlsClientHello(const std::string& server_name, const ByteList& random) {
  ByteList hello;
  Put16(hello, 0x0303);
  Put(hello, Bytes(random).first(32));
  Put8(hello, 0);                                                // no session
  for (const unsigned word : {2U, 0x1301U}) Put16(hello, word);  // TLS_AES_128_GCM_SHA256
  Put16(hello, 0x0100);                                          // no compression
  Put(hello, Vector16(ServerNameExtension(server_name)));
  ByteList handshake = {1, 0};
  Put(handshake, Vector16(hello));
  return TlsRecord(22, 0x0301, handshake);
}

ByteList TlsData(const ByteList& data) {
  return TlsRecord(23, 0x0303, data);
}

}  // namespace cloudflare_emulator
