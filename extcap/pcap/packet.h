// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cloudflaredump::pcap {

/// Precision of a pcap file's record times, kept on the way to pcapng (if_tsresol 6 or 9).
enum class TimePrecision : std::uint8_t { kMicroseconds, kNanoseconds };

/// What the 24 bytes at the start of a classic pcap file say.
struct PcapHeader {
  std::uint32_t link_type = 0;  ///< LINKTYPE_ value, without the FCS bits.
  std::uint32_t snap_length = 0;
  TimePrecision precision = TimePrecision::kMicroseconds;
  bool big_endian = false;
  std::uint16_t version_minor = 4;  ///< Of version 2; 3 may have a record's two lengths swapped.

  bool operator==(const PcapHeader&) const = default;
};

/// One record of a pcap file in somebody else's memory: who hands it out says how long it is valid.
struct PacketView {
  std::uint64_t ticks = 0;            ///< As in Packet.
  std::uint32_t original_length = 0;  ///< As in Packet.
  std::span<const std::byte> bytes = {};
};

/// One record of a pcap file. Owns its bytes.
struct Packet {
  /// Time in units of the file's precision since 1970, as the file has it: a fraction beyond one
  /// second is carried over, no rounding.
  std::uint64_t ticks = 0;
  std::uint32_t original_length = 0;  ///< Bytes on the wire; the captured ones may be fewer.
  std::vector<std::byte> bytes = {};

  /// The packet without its bytes' ownership; valid as long as the packet is.
  operator PacketView() const { return {ticks, original_length, bytes}; }
};

/// Nanoseconds since 1970 of a time in `precision` ticks: the order in which parts are merged.
constexpr std::uint64_t Nanoseconds(std::uint64_t ticks, TimePrecision precision) {
  return precision == TimePrecision::kMicroseconds ? ticks * 1000 : ticks;
}

}  // namespace cloudflaredump::pcap
