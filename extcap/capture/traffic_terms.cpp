// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_terms.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

using filter::Prefix;

/// So many addresses or subnets are listed for one prefix: five bits.
constexpr int kListedBits = 5;

/// All prefixes of `bits` bits in `prefix`, ascending.
std::vector<Prefix> Within(const Prefix& prefix, int bits) {
  std::vector<Prefix> list;
  const int free = bits - prefix.bits;
  for (unsigned number = 0; number < 1U << free; ++number) {
    filter::IpAddress address = prefix.address;
    for (int i = 0; i < free; ++i) {
      const auto at = static_cast<unsigned>(prefix.bits + i);
      const unsigned bit = number >> (free - 1 - i) & 1;
      address.bytes[at / 8] |= static_cast<std::uint8_t>(bit << (7 - at % 8));
    }
    list.push_back({address, bits});
  }
  return list;
}

/// Tells as much of `prefix` as there are words for; returns what was told, if anything. Sources:
/// the dimension ipDestinationSubnet ("/24 for IPv4; /64 for IPv6") and the operator like.
std::optional<Prefix> TellPrefix(const Prefix& prefix, api::SideMatch& side) {
  const bool ipv4 = prefix.address.version == 4;
  const int whole = ipv4 ? 32 : 128;
  const int subnet = ipv4 ? 24 : 64;
  if (prefix.bits >= whole - kListedBits) {
    for (const Prefix& one : Within(prefix, whole)) {
      side.addresses.push_back(one.address.ToString());
    }
    return prefix;
  }
  if (prefix.bits > subnet) {
    const Prefix told = filter::PrefixOf(prefix.address, subnet);
    side.subnets = {told.ToString()};
    return told;
  }
  if (prefix.bits >= subnet - kListedBits) {
    for (const Prefix& one : Within(prefix, subnet)) {
      side.subnets.push_back(one.ToString());
    }
    return prefix;
  }
  // How an IPv6 address is written says too little of how it begins.
  if (!ipv4 || prefix.bits < 8) return std::nullopt;
  const Prefix told = filter::PrefixOf(prefix.address, prefix.bits >= 16 ? 16 : 8);
  side.like = told.bits == 16 ? Format("%u.%u.%%", told.address.bytes[0], told.address.bytes[1])
                              : Format("%u.%%", told.address.bytes[0]);
  return told;
}

api::SideMatch TellSide(const std::optional<filter::IpAddress>& address,
                        const std::optional<std::uint16_t>& port, std::optional<Prefix>& prefix) {
  api::SideMatch side{.port = port};
  if (address) side.addresses = {address->ToString()};
  if (prefix) prefix = TellPrefix(*prefix, side);
  return side;
}

}  // namespace

std::string TrafficTerms::AsFilter() const {
  std::string text;
  for (const filter::PrefixBox& box : told) {
    const std::string one = filter::PrefixBoxAsFilter(box);
    if (one.empty()) return "";
    const bool grouped = told.size() > 1 && one.find(" and ") != std::string::npos;
    text += (text.empty() ? "" : " or ") + (grouped ? "(" + one + ")" : one);
  }
  return text;
}

TrafficTerms TermsOf(const filter::CaptureFilter& filter) {
  TrafficTerms terms;
  for (filter::PrefixBox box : filter::PrefixBoxes(filter)) {
    terms.asked.push_back(box);
    const api::TrafficMatch match{
        .source = TellSide(box.box.source_address, box.box.source_port, box.source),
        .destination =
            TellSide(box.box.destination_address, box.box.destination_port, box.destination),
        .protocol = box.box.protocol};
    // Two prefixes may be told as the same one.
    if (std::ranges::find(terms.matches, match) != terms.matches.end()) continue;
    terms.matches.push_back(match);
    terms.told.push_back(box);
    terms.exact = terms.exact && filter::AcceptsAllOf(filter, box);
  }
  return terms;
}

}  // namespace cloudflaredump::capture
