// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/ip_header.h"

#include "extcap/filter/big_endian.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::filter {
namespace {

using Outcome = IpSearch::Outcome;
using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint32_t kEtherTypeIpv6 = 0x86dd;

bool IsVlanTag(std::uint32_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

/// Found at `offset`, unless the byte there is of neither IP version. What follows a header that
/// says IP is believed when it was cut off.
IpSearch FoundAt(Bytes packet, std::size_t offset) {
  if (offset < packet.size()) {
    const std::uint32_t version = Byte(packet, offset) >> 4;
    if (version != 4 && version != 6) return {};
  }
  return {Outcome::kFound, {offset}};
}

/// `type_at` is the offset of an EtherType; the payload begins at `payload`, and any VLAN tags
/// stand at its front.
IpSearch BehindEtherType(Bytes packet, std::size_t type_at, std::size_t payload) {
  for (;;) {
    if (type_at + 2 > packet.size()) return {Outcome::kTooShort, {}};
    const std::uint32_t type = Big16(packet, type_at);
    if (type == kEtherTypeIpv4 || type == kEtherTypeIpv6) return FoundAt(packet, payload);
    if (!IsVlanTag(type)) return {};
    type_at = payload + 2;
    payload += 4;
  }
}

/// NFLOG's attributes have the byte order of the machine that captured, which the packet does not
/// say: `big` is a guess.
IpSearch BehindNflogAttributes(Bytes packet, bool big) {
  constexpr std::size_t kFixedHeader = 4;
  constexpr std::size_t kAttributeHeader = 4;
  constexpr std::uint32_t kPayload = 9;  // NFULA_PAYLOAD
  constexpr std::uint32_t kLargestType = 64;
  const auto number = [&](std::size_t at) {
    return big ? Big16(packet, at) : Byte(packet, at) | Byte(packet, at + 1) << 8;
  };
  std::size_t at = kFixedHeader;
  while (at + kAttributeHeader <= packet.size()) {
    const std::uint32_t length = number(at);
    const std::uint32_t type = number(at + 2);
    if (length < kAttributeHeader || type > kLargestType) return {};
    if (type == kPayload) return FoundAt(packet, at + kAttributeHeader);
    at += (length + 3U) & ~3U;
  }
  return {Outcome::kTooShort, {}};
}

IpSearch BehindNflog(Bytes packet) {
  const IpSearch little = BehindNflogAttributes(packet, false);
  return little.outcome == Outcome::kNotIp ? BehindNflogAttributes(packet, true) : little;
}

}  // namespace

IpSearch SearchIpHeader(std::uint32_t link_type, std::span<const std::byte> packet) {
  switch (link_type) {
    case kLinkTypeEthernet:
      return BehindEtherType(packet, 12, 14);
    case kLinkTypeLinuxSll:
      return BehindEtherType(packet, 14, 16);
    case kLinkTypeLinuxSll2:
      return BehindEtherType(packet, 0, 20);
    case kLinkTypeNflog:
      return BehindNflog(packet);
    case kLinkTypeRaw:
    case kLinkTypeIpv4:
    case kLinkTypeIpv6:
      return FoundAt(packet, 0);
    default:
      return {Outcome::kUnknownLinkType, {}};
  }
}

bool KnowsLinkType(std::uint32_t link_type) {
  return SearchIpHeader(link_type, {}).outcome != Outcome::kUnknownLinkType;
}

}  // namespace cloudflaredump::filter
