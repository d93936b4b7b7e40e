// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/pcap/packet.h"

namespace cloudflaredump::pcap {

/// Blocks of a pcapng file (draft-ietf-opsawg-pcapng) in the byte order of this machine, which is
/// what dumpcap demands, appended to a buffer that the caller empties into its sink.
///
/// Wireshark's traps behind the shape of this interface: dumpcap 4.0 overflows on a section header
/// over 2,048 bytes; any block over 262,144 bytes ends a capture; custom blocks make live captures
/// lose their last packets. No text makes a block too long: names, filters and comments are cut
/// between characters where they would.

/// Blocks above this end a live capture in dumpcap.
inline constexpr std::size_t kLargestBlock = 262144;

/// The most packet bytes that fit a block of kLargestBlock without comments.
inline constexpr std::size_t kLargestPacket = kLargestBlock - 32;

/// Our interface blocks say this snap length, which nobody else uses, so that mergecap never takes
/// a foreign interface for a duplicate of ours.
inline constexpr std::uint32_t kSnapLength = 262143;

/// What an interface description block says.
struct InterfaceBlock {
  std::uint32_t link_type = 0;
  TimePrecision precision = TimePrecision::kMicroseconds;
  std::string name = {};         ///< if_name
  std::string description = {};  ///< if_description: the capture description
  std::string filter = {};       ///< if_filter: the user's capture filter; none if empty
};

/// Counts for the interface statistics block. `received` is isb_ifrecv, `delivered` isb_usrdeliv,
/// `filtered_out` and `undecided` stand in the comment.
struct InterfaceStatistics {
  std::uint64_t received = 0;
  std::uint64_t delivered = 0;
  std::uint64_t filtered_out = 0;
  std::uint64_t undecided = 0;
  /// Of the first and last packet received, nanoseconds since 1970; both 0 if there was none.
  std::uint64_t first_nanoseconds = 0;
  std::uint64_t last_nanoseconds = 0;
  std::string comment = {};  ///< A sentence for people; none if empty.
};

/// `application` is shb_userappl; cut so that the block stays far below 2,048 bytes.
void AppendSectionHeader(std::string& out, std::string_view application);

/// The first interface appended is number 0, the next 1, and so on: the caller counts.
void AppendInterface(std::string& out, const InterfaceBlock& interface);

/// Returns false, and appends nothing, if the packet is longer than kLargestPacket. Comments that
/// would make the block longer than kLargestBlock are left out, the last first.
bool AppendPacket(std::string& out, std::uint32_t interface_id, const PacketView& packet,
                  const std::vector<std::string>& comments = {});

/// `precision` is that of the interface: the block's times are in its resolution.
void AppendStatistics(std::string& out, std::uint32_t interface_id, TimePrecision precision,
                      const InterfaceStatistics& statistics);

}  // namespace cloudflaredump::pcap
