// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/router_filter.h"

#include "common/text.h"

namespace cloudflaredump::compare {
namespace {

constexpr unsigned kOuterHeader = 20;  // Tunnels end at IPv4 addresses; routers send no IP options.

void Add(std::string& filter, const std::string& term) {
  filter += (filter.empty() ? "" : " and ") + term;
}

/// ip[AT:4] comparisons for all words of an address.
void AddAddress(std::string& filter, unsigned at, const filter::IpAddress& address) {
  const unsigned words = address.version == 4 ? 1 : 4;
  for (unsigned i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    for (unsigned j = 0; j < 4; ++j) word = word << 8 | address.bytes[4 * i + j];
    Add(filter, Format("ip[%u:4] = 0x%08x", at + 4 * i, word));
  }
}

/// `box` as the packet whose IP header begins at `inner` of the outer one.
std::string Inside(const filter::Box& box, std::string filter, unsigned inner) {
  const auto& any = box.destination_address ? box.destination_address : box.source_address;
  const bool v6 = any && any->version == 6;
  if (box.source_address) AddAddress(filter, inner + (v6 ? 8 : 12), *box.source_address);
  if (box.destination_address) AddAddress(filter, inner + (v6 ? 24 : 16), *box.destination_address);
  if (box.protocol) Add(filter, Format("ip[%u] = %u", inner + (v6 ? 6 : 9), *box.protocol));
  const unsigned ports = inner + (v6 ? 40 : 20);
  if (box.source_port) Add(filter, Format("ip[%u:2] = %u", ports, *box.source_port));
  if (box.destination_port) Add(filter, Format("ip[%u:2] = %u", ports + 2, *box.destination_port));
  return filter;
}

}  // namespace

std::vector<RouterFilter> RouterFilters(const filter::Box& box) {
  return {
      {"not in a tunnel", filter::BoxAsFilter(box)},
      {"in GRE without a key", Inside(box, "ip proto 47", kOuterHeader + 4)},
      {"in GRE with a key", Inside(box, "ip proto 47", kOuterHeader + 8)},
      {"in IP", Inside(box, "(ip proto 4 or ip proto 41)", kOuterHeader)},
  };
}

}  // namespace cloudflaredump::compare
