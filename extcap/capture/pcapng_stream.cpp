// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/pcapng_stream.h"

#include "extcap/base/version.h"

namespace cloudflaredump {
namespace {

/// Large enough for few system calls, small enough for a reader to see packets soon.
constexpr std::size_t kFlushAt = std::size_t{256} << 10;

}  // namespace

std::uint32_t PcapngStream::AddInterface(const InterfaceBlock& interface) {
  if (!begun()) AppendSectionHeader(buffer_, kApplication);
  AppendInterface(buffer_, interface);
  return interfaces_++;
}

Result<bool> PcapngStream::AddPacket(std::uint32_t interface_id, const Packet& packet,
                                     const std::vector<std::string>& comments) {
  const bool taken = AppendPacket(buffer_, interface_id, packet, comments);
  if (buffer_.size() >= kFlushAt) {
    if (auto flushed = Flush(); !flushed) return std::unexpected(flushed.error());
  }
  return taken;
}

void PcapngStream::AddStatistics(std::uint32_t interface_id, TimePrecision precision,
                                 const InterfaceStatistics& statistics) {
  AppendStatistics(buffer_, interface_id, precision, statistics);
}

Result<void> PcapngStream::Flush() {
  if (buffer_.empty()) return {};
  auto written = sink_.Write(buffer_);
  buffer_.clear();
  return written;
}

}  // namespace cloudflaredump
