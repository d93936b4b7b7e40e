// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/box.h"

#include <arpa/inet.h>

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::filter {
namespace {

/// How many bits of a packet a number prescribes; of an address, the other BitsOf says it.
template <class T>
int BitsOf(T) {
  return 8 * sizeof(T);
}

/// False sorts first: what is pinned comes before what is not.
auto Rank(const Box& box) {
  return std::tuple(!box.destination_address, !box.destination_port, !box.source_address,
                    !box.source_port, !box.protocol);
}

/// libpcap's word for a protocol, which stands before a port too; for most there is none.
std::string ProtocolWord(std::uint8_t protocol) {
  switch (protocol) {
    case 1:
      return "icmp";
    case kProtocolTcp:
      return "tcp";
    case kProtocolUdp:
      return "udp";
    case 58:
      return "icmp6";
    case kProtocolSctp:
      return "sctp";
    default:
      return Format("proto %u", protocol);
  }
}

}  // namespace

int BitsOf(const IpAddress& address) {
  return address.version == 4 ? 32 : 128;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  inet_ntop(version == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

IpAddress Ipv4Address(std::uint32_t number) {
  IpAddress address;
  for (int i = 0; i < 4; ++i) {
    address.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

bool PinsAddress(const Box& box) {
  return box.source_address || box.destination_address;
}

bool PinsPort(const Box& box) {
  return box.source_port || box.destination_port;
}

bool IsInside(const Box& inner, const Box& outer) {
  bool inside = true;
  ForEachField([&](auto field) { inside &= !(outer.*field) || outer.*field == inner.*field; });
  return inside;
}

Box Join(const Box& a, const Box& b) {
  Box both = a;
  ForEachField([&](auto field) {
    if (a.*field != b.*field) (both.*field).reset();
  });
  return both;
}

int PinnedBits(const Box& box) {
  int bits = 0;
  ForEachField([&](auto field) { bits += box.*field ? BitsOf(*(box.*field)) : 0; });
  return bits;
}

bool ComesBefore(const Box& a, const Box& b) {
  if (Rank(a) != Rank(b)) return Rank(a) < Rank(b);
  return a < b;
}

FilterV1 ToFilterV1(const Box& box) {
  const auto text = [](const std::optional<IpAddress>& address) {
    return address ? std::optional(address->ToString()) : std::nullopt;
  };
  return {.source_address = text(box.source_address),
          .destination_address = text(box.destination_address),
          .source_port = box.source_port,
          .destination_port = box.destination_port,
          .protocol = box.protocol};
}

std::string BoxAsFilter(const Box& box) {
  std::string text;
  const auto add = [&](const std::string& term) { text += (text.empty() ? "" : " and ") + term; };
  if (box.source_address) add("src host " + box.source_address->ToString());
  if (box.destination_address) add("dst host " + box.destination_address->ToString());
  const bool has_ports = PinsPort(box);
  const bool port_protocol =
      box.protocol && std::ranges::find(kPortProtocols, *box.protocol) != kPortProtocols.end();
  const std::string before_port =
      has_ports && port_protocol ? ProtocolWord(*box.protocol) + " " : "";
  if (box.source_port) add(before_port + Format("src port %u", *box.source_port));
  if (box.destination_port) add(before_port + Format("dst port %u", *box.destination_port));
  if (box.protocol && before_port.empty()) add(ProtocolWord(*box.protocol));
  return text;
}

}  // namespace cloudflaredump::filter
