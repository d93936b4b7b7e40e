// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/pcapng_stream.h"

#include <span>
#include <utility>
#include <vector>

#include "common/version.h"

namespace cloudflaredump::capture {
namespace {

/// Large enough for few system calls, small enough for a reader to see packets soon.
constexpr std::size_t kFlushAt = std::size_t{256} << 10;

/// An enhanced packet block's fields before the packet's bytes (draft-ietf-opsawg-pcapng 4.3).
constexpr std::size_t kBytesInBlock = 28;

std::vector<std::string> CommentsOf(const PacketMark& mark) {
  if (mark == PacketMark()) return {};
  return {WritePacketMark(mark)};
}

void Join(PacketMark& mark, const PacketMark& more) {
  mark.undecided = mark.undecided || more.undecided;
  mark.limit_reached = mark.limit_reached || more.limit_reached;
  if (more.damaged) {
    mark.damaged = mark.damaged ? *mark.damaged + "; " + *more.damaged : more.damaged;
  }
  if (more.coverage_first) mark.coverage_first = more.coverage_first;
  if (more.coverage_last) mark.coverage_last = more.coverage_last;
}

}  // namespace

std::uint32_t PcapngStream::AddInterface(const pcap::InterfaceBlock& interface) {
  if (!begun()) pcap::AppendSectionHeader(buffer_, kApplication);
  // An interface may come at any place before its first packet: here, before the held one, which
  // stays at the end.
  std::string held = last_ ? buffer_.substr(last_->block) : std::string();
  buffer_.resize(buffer_.size() - held.size());
  pcap::AppendInterface(buffer_, interface);
  if (last_) last_->block = buffer_.size();
  buffer_ += held;
  return interfaces_++;
}

Result<bool> PcapngStream::AddPacket(std::uint32_t interface_id, const pcap::PacketView& packet,
                                     const PacketMark& mark) {
  last_.reset();
  if (auto flushed = FlushIfLarge(); !flushed) return Failure(flushed);
  const std::size_t block = buffer_.size();
  if (!pcap::AppendPacket(buffer_, interface_id, packet, CommentsOf(mark))) return false;
  last_ = {.block = block,
           .interface_id = interface_id,
           .ticks = packet.ticks,
           .original_length = packet.original_length,
           .captured_length = packet.bytes.size(),
           .mark = mark};
  return true;
}

bool PcapngStream::MarkLast(const PacketMark& more) {
  if (!last_) return false;
  Join(last_->mark, more);
  const std::string bytes = buffer_.substr(last_->block + kBytesInBlock, last_->captured_length);
  buffer_.resize(last_->block);
  pcap::AppendPacket(buffer_, last_->interface_id,
                     {.ticks = last_->ticks,
                      .original_length = last_->original_length,
                      .bytes = std::as_bytes(std::span(bytes))},
                     CommentsOf(last_->mark));
  return true;
}

void PcapngStream::AddStatistics(std::uint32_t interface_id, pcap::TimePrecision precision,
                                 const pcap::InterfaceStatistics& statistics) {
  last_.reset();
  pcap::AppendStatistics(buffer_, interface_id, precision, statistics);
}

Result<void> PcapngStream::FlushIfLarge() {
  return buffer_.size() >= kFlushAt ? Flush() : Result<void>();
}

Result<void> PcapngStream::Flush() {
  const std::size_t ready = last_ ? last_->block : buffer_.size();
  if (ready == 0) return {};
  auto written = sink_.Write(std::string_view(buffer_).substr(0, ready));
  buffer_.erase(0, ready);
  if (last_) last_->block = 0;
  return written;
}

}  // namespace cloudflaredump::capture
