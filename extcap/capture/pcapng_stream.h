// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/capture_description.h"
#include "common/result.h"
#include "extcap/pcap/pcapng_writer.h"
#include "extcap/system/byte_sink.h"

namespace cloudflaredump::capture {

/// One pcapng section on its way to a sink. The section header goes out with the first interface,
/// so that a capture that fails before has written nothing. The last packet is held back until
/// something follows it: what is learnt late can still be said on it.
class PcapngStream {
 public:
  /// `sink` outlives this object.
  explicit PcapngStream(system::ByteSink& sink) : sink_(sink) {}

  bool begun() const { return interfaces_ > 0; }

  /// Adds an interface and returns its number in the section.
  std::uint32_t AddInterface(const pcap::InterfaceBlock& interface);

  /// Appends a packet, with a comment if `mark` says anything; false if the packet is too large for
  /// a block that Wireshark takes (it is left out then).
  Result<bool> AddPacket(std::uint32_t interface_id, const pcap::PacketView& packet,
                         const PacketMark& mark);

  /// Says more on the packet added last; false if there is none.
  bool MarkLast(const PacketMark& more);

  /// The packet added last may go; no MarkLast after it until another packet was added.
  void LetLastGo() { last_.reset(); }

  /// Lets the last packet go.
  void AddStatistics(std::uint32_t interface_id, pcap::TimePrecision precision,
                     const pcap::InterfaceStatistics& statistics);

  /// Writes what was appended, but for the packet held back, to the sink.
  Result<void> Flush();
  /// The same, once enough was appended to be worth a system call.
  Result<void> FlushIfLarge();

 private:
  /// The packet at the end of buffer_.
  struct LastPacket {
    std::size_t block;  ///< where its block begins in buffer_
    std::uint32_t interface_id;
    std::uint64_t ticks;
    std::uint32_t original_length;
    std::size_t captured_length;
    PacketMark mark;
  };

  system::ByteSink& sink_;
  std::string buffer_;
  std::optional<LastPacket> last_;
  std::uint32_t interfaces_ = 0;
};

}  // namespace cloudflaredump::capture
