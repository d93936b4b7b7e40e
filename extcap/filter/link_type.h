// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace cloudflaredump::filter {

/// LINKTYPE_ values that the filter knows by name. Source: https://www.tcpdump.org/linktypes.html.
inline constexpr std::uint32_t kLinkTypeEthernet = 1;
inline constexpr std::uint32_t kLinkTypeRaw = 101;
inline constexpr std::uint32_t kLinkTypeLinuxSll = 113;
inline constexpr std::uint32_t kLinkTypeIpv4 = 228;
inline constexpr std::uint32_t kLinkTypeIpv6 = 229;
inline constexpr std::uint32_t kLinkTypeNflog = 239;
inline constexpr std::uint32_t kLinkTypeLinuxSll2 = 276;

}  // namespace cloudflaredump::filter
