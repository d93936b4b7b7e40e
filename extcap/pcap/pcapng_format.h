// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace cloudflaredump::pcap {

/// How a section block says its byte order.
inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

/// The types of pcapng blocks that we read or write (draft-ietf-opsawg-pcapng, section 4).
enum PcapngBlock : std::uint32_t {
  kInterfaceBlock = 1,
  kObsoletePacketBlock = 2,
  kSimplePacketBlock = 3,
  kStatisticsBlock = 5,
  kEnhancedPacketBlock = 6,
  kSectionBlock = 0x0a0d0d0a,
};

}  // namespace cloudflaredump::pcap
