// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/emulator/packet_fields.h"
#include "tests/emulator/rfc3339.h"

namespace cloudflare_emulator {

/// LINKTYPE_ values (tcpdump.org/linktypes.html) that the emulator looks into and can write.
enum LinkType : std::uint32_t {
  kEthernet = 1,
  kRaw = 101,
  kSll = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kNflog = 239,
  kSll2 = 276,
};

/// One captured packet. NFLOG's attribute headers are in the byte order of this machine.
struct Record {
  Time time{};
  std::uint32_t link_type = 0;
  std::uint32_t original_length = 0;  ///< Bytes on the wire; those held may be fewer.
  std::vector<std::uint8_t> bytes{};
};

/// Offset of the outer IP header, behind Ethernet with any number of VLAN tags, SLL, SLL2, NFLOG or
/// nothing; none if there is no IP packet or the link type is another one.
std::optional<std::size_t> FindIpHeader(const Record& record);

/// The record as `link_type` would have it: its IP packet behind a synthetic header. A record of
/// that link type already stays as it is. None if there is no IP packet, or one that the link type
/// cannot carry.
std::optional<Record> ConvertLinkType(Record record, std::uint32_t link_type);

}  // namespace cloudflare_emulator
