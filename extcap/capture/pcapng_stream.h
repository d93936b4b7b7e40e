// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extcap/base/result.h"
#include "extcap/pcap/pcapng_writer.h"
#include "extcap/system/byte_sink.h"

namespace cloudflaredump {

/// One pcapng section on its way to a sink. The section header goes out with the first interface,
/// so that a capture that fails before has written nothing.
class PcapngStream {
 public:
  explicit PcapngStream(ByteSink& sink) : sink_(sink) {}

  bool begun() const { return interfaces_ > 0; }

  /// Adds an interface and returns its number in the section.
  std::uint32_t AddInterface(const InterfaceBlock& interface);

  /// Appends a packet; false if it is too large for a block that Wireshark takes (it is left out).
  /// Written to the sink at the latest by Flush.
  Result<bool> AddPacket(std::uint32_t interface_id, const Packet& packet,
                         const std::vector<std::string>& comments);

  void AddStatistics(std::uint32_t interface_id, TimePrecision precision,
                     const InterfaceStatistics& statistics);

  Result<void> Flush();

 private:
  ByteSink& sink_;
  std::string buffer_;
  std::uint32_t interfaces_ = 0;
};

}  // namespace cloudflaredump
