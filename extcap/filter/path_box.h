// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "extcap/filter/box.h"
#include "extcap/filter/facts.h"

namespace cloudflaredump::filter {

enum class IpFamily : std::uint8_t { kIpv4, kIpv6 };

/// Where a program for raw IP finds the fields of `filter_v1`.
inline constexpr Window kFirstByte{false, 0, 1};
inline constexpr Window kIpv4Fragment{false, 6, 2};
inline constexpr Window kIpv4Protocol{false, 9, 1};
inline constexpr Window kIpv4Source{false, 12, 4};
inline constexpr Window kIpv4Destination{false, 16, 4};
inline constexpr Window kIpv4SourcePort{true, 0, 2};
inline constexpr Window kIpv4DestinationPort{true, 2, 2};
inline constexpr Window kIpv6NextHeader{false, 6, 1};
inline constexpr std::uint32_t kIpv6SourceOffset = 8;
inline constexpr std::uint32_t kIpv6DestinationOffset = 24;
/// Of a fragment header directly behind the IPv6 header.
inline constexpr Window kIpv6FragmentNextHeader{false, 40, 1};
inline constexpr Window kIpv6SourcePort{false, 40, 2};
inline constexpr Window kIpv6DestinationPort{false, 42, 2};
inline constexpr std::uint32_t kIpv4HeaderBytes = 20;  ///< The least there is.
inline constexpr std::uint32_t kIpv6HeaderBytes = 40;

/// What holds for every well-formed packet of a family.
Facts FamilyFacts(IpFamily family);

/// What paths are like, beyond their boxes.
struct PathTraits {
  bool ipv6 = false;
  /// An address or a port is tested for something narrower than half of its values.
  bool names_endpoint = false;
  /// An IPv6 address is known, and not pinned because the options say so.
  bool names_ipv6_address = false;

  /// Of both together.
  PathTraits& operator|=(const PathTraits& other) {
    ipv6 |= other.ipv6;
    names_endpoint |= other.names_endpoint;
    names_ipv6_address |= other.names_ipv6_address;
    return *this;
  }
};

/// A box that holds all packets of a path, or some of them if a field has a handful of values.
struct PathBox {
  Box box;
  PathTraits traits = {};
};

/// How much a path is pinned.
struct PathBoxOptions {
  bool pin_ipv6 = false;  ///< Whether IPv6 addresses are pinned.
  /// A field with as many values, at most, gives a box for each of them.
  std::size_t handful = 1;
};

/// The boxes that together hold the packets with `facts`, which are those of a path from
/// FamilyFacts(family) on. A field is pinned only where the facts force it, and a port only where
/// they force the bytes to be a port. None if no packet has these facts.
std::vector<PathBox> BoxesOf(const Facts& facts, IpFamily family, const PathBoxOptions& options);

}  // namespace cloudflaredump::filter
