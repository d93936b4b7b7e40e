// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/box.h"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>

#include "common/text.h"

namespace cloudflaredump::filter {
namespace {

template <class T>
bool Allows(const std::optional<T>& outer, const std::optional<T>& inner) {
  return !outer || outer == inner;
}

template <class T>
std::optional<T> Common(const std::optional<T>& a, const std::optional<T>& b) {
  return a == b ? a : std::nullopt;
}

int AddressBits(const std::optional<IpAddress>& address) {
  if (!address) return 0;
  return address->version == 4 ? 32 : 128;
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
  return std::apply([&](auto... field) { return (Allows(outer.*field, inner.*field) && ...); },
                    kBoxFields);
}

Box Join(const Box& a, const Box& b) {
  Box joined;
  std::apply([&](auto... field) { ((joined.*field = Common(a.*field, b.*field)), ...); },
             kBoxFields);
  return joined;
}

int PinnedBits(const Box& box) {
  return AddressBits(box.source_address) + AddressBits(box.destination_address) +
         (box.source_port ? 16 : 0) + (box.destination_port ? 16 : 0) + (box.protocol ? 8 : 0);
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
