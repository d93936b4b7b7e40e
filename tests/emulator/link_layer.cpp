// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/link_layer.h"

#include <algorithm>
#include <cstring>

namespace cloudflare_emulator {
namespace {

constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherIpv6 = 0x86dd;
constexpr std::uint16_t kNflogPayload = 9;  // NFULA_PAYLOAD

bool IsVlan(std::uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

/// Takes the offset of an EtherType and goes over VLAN tags to the IP header behind the last one.
std::optional<std::size_t> BehindEtherType(Bytes bytes, std::size_t type_at, std::size_t payload) {
  if (bytes.size() < type_at + 2) return std::nullopt;
  std::uint16_t type = Big16(bytes, type_at);
  while (IsVlan(type)) {
    if (bytes.size() < payload + 4) return std::nullopt;
    type = Big16(bytes, payload + 2);
    payload += 4;
  }
  if (payload >= bytes.size()) return std::nullopt;
  const int version = bytes[payload] >> 4;
  const bool is_ip = (type == kEtherIpv4 && version == 4) || (type == kEtherIpv6 && version == 6);
  return is_ip ? std::optional(payload) : std::nullopt;
}

std::uint16_t Native16(Bytes bytes, std::size_t offset) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<std::size_t> InNflog(Bytes bytes) {
  constexpr std::size_t kAttributeHeader = 4;
  std::size_t at = 4;
  while (at + kAttributeHeader <= bytes.size()) {
    const std::size_t length = Native16(bytes, at);
    if (length < kAttributeHeader) return std::nullopt;
    if ((Native16(bytes, at + 2) & 0x7fff) == kNflogPayload) return at + kAttributeHeader;
    at += (length + 3) & ~std::size_t{3};
  }
  return std::nullopt;
}

std::optional<std::size_t> IfVersion(Bytes bytes, std::size_t offset, std::uint32_t link_type) {
  if (offset >= bytes.size()) return std::nullopt;
  const int version = bytes[offset] >> 4;
  const bool fits = (version == 4 && link_type != kIpv6) || (version == 6 && link_type != kIpv4);
  return fits ? std::optional(offset) : std::nullopt;
}

void PutNative16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  std::uint8_t bytes[2];
  std::memcpy(bytes, &value, sizeof value);
  out.insert(out.end(), bytes, bytes + 2);
}

/// A locally administered address, eight bytes long as the SLL headers want it.
constexpr std::uint8_t kSourceMac[] = {0x02, 0, 0, 0, 0, 0x01, 0, 0};
constexpr std::uint8_t kDestinationMac[] = {0x02, 0, 0, 0, 0, 0x02};

std::vector<std::uint8_t> SyntheticHeader(std::uint32_t link_type, bool ipv6,
                                          std::uint32_t ip_length) {
  std::vector<std::uint8_t> out;
  const std::uint16_t ether_type = ipv6 ? kEtherIpv6 : kEtherIpv4;
  if (link_type == kEthernet) {
    out.insert(out.end(), std::begin(kDestinationMac), std::end(kDestinationMac));
    out.insert(out.end(), kSourceMac, kSourceMac + 6);
    Put16(out, ether_type);
  } else if (link_type == kSll) {
    for (const std::uint16_t word : {0, 1, 6}) Put16(out, word);  // to us, ARPHRD_ETHER, 6 bytes
    out.insert(out.end(), std::begin(kSourceMac), std::end(kSourceMac));
    Put16(out, ether_type);
  } else if (link_type == kSll2) {
    Put16(out, ether_type);
    // Reserved, interface index 1, ARPHRD_ETHER, then "to us" and six address bytes in one word.
    for (const std::uint16_t word : {0, 0, 1, 1, 6}) Put16(out, word);
    out.insert(out.end(), std::begin(kSourceMac), std::end(kSourceMac));
  } else if (link_type == kNflog) {
    out = {static_cast<std::uint8_t>(ipv6 ? 10 : 2), 0, 0, 0};  // AF_INET6 or AF_INET, version 0
    PutNative16(out, static_cast<std::uint16_t>(ip_length + 4));
    PutNative16(out, kNflogPayload);
  }
  return out;
}

bool CanCarry(std::uint32_t link_type, bool ipv6, std::uint32_t ip_length) {
  if (link_type == kIpv4) return !ipv6;
  if (link_type == kIpv6) return ipv6;
  constexpr std::uint32_t kLongestAttribute = 65535;
  return link_type != kNflog || ip_length + 4 <= kLongestAttribute;
}

}  // namespace

std::optional<std::size_t> FindIpHeader(const Record& record) {
  const Bytes bytes(record.bytes);
  switch (record.link_type) {
    case kEthernet:
      return BehindEtherType(bytes, 12, 14);
    case kSll:
      return BehindEtherType(bytes, 14, 16);
    case kSll2:
      return BehindEtherType(bytes, 0, 20);
    case kNflog: {
      const auto payload = InNflog(bytes);
      return payload ? IfVersion(bytes, *payload, kNflog) : std::nullopt;
    }
    case kRaw:
    case kIpv4:
    case kIpv6:
      return IfVersion(bytes, 0, record.link_type);
    default:
      return std::nullopt;
  }
}

std::optional<Record> ConvertLinkType(Record record, std::uint32_t link_type) {
  if (record.link_type == link_type) return record;
  const auto ip = FindIpHeader(record);
  if (!ip) return std::nullopt;
  const bool ipv6 = record.bytes[*ip] >> 4 == 6;
  const auto cut = static_cast<std::uint32_t>(*ip);
  const std::uint32_t ip_length = record.original_length - std::min(cut, record.original_length);
  if (!CanCarry(link_type, ipv6, ip_length)) return std::nullopt;
  std::vector<std::uint8_t> bytes = SyntheticHeader(link_type, ipv6, ip_length);
  record.original_length = static_cast<std::uint32_t>(bytes.size()) + ip_length;
  bytes.insert(bytes.end(), record.bytes.begin() + static_cast<std::ptrdiff_t>(*ip),
               record.bytes.end());
  record.bytes = std::move(bytes);
  record.link_type = link_type;
  return record;
}

}  // namespace cloudflare_emulator
