// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cloudflaredump::filter {

/// Where the outermost IP header of a packet begins.
struct IpLocation {
  std::size_t offset = 0;  ///< From the first captured byte; may be past the last one if cut.
};

/// What can be said about the IP header of a packet.
struct IpSearch {
  enum class Outcome : std::uint8_t {
    kFound,
    kNotIp,
    kTooShort,  ///< The captured bytes end before they say what the packet is.
    kUnknownLinkType,
  };
  Outcome outcome = Outcome::kNotIp;
  IpLocation location;  ///< Meaningful if kFound.
};

/// Looks for the IP header behind Ethernet, VLAN and QinQ tags, Linux cooked (SLL, SLL2), NFLOG or
/// no header at all (raw).
IpSearch SearchIpHeader(std::uint32_t link_type, std::span<const std::byte> packet);

/// Whether SearchIpHeader knows this LINKTYPE_.
bool KnowsLinkType(std::uint32_t link_type);

}  // namespace cloudflaredump::filter
