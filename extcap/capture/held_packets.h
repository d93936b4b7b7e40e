// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extcap/pcap/packet.h"

namespace cloudflaredump::capture {

/// Packets that the filter rejects, until it is known whether that is right: a filter that matches
/// no packet of an exact plan is not to be trusted.
class HeldPackets {
 public:
  /// If so much was rejected without one match, no more is needed to see that.
  static constexpr std::size_t kMost = std::size_t{16} << 20;

  struct Held {
    std::size_t file;
    pcap::Packet packet;
    std::optional<std::string> damage;  ///< what was lost before it
  };

  void Add(std::size_t file, const pcap::PacketView& packet, std::optional<std::string> damage) {
    held_.push_back({file,
                     {.ticks = packet.ticks,
                      .original_length = packet.original_length,
                      .bytes = {packet.bytes.begin(), packet.bytes.end()}},
                     std::move(damage)});
    bytes_ += packet.bytes.size() + sizeof(Held);
  }

  bool empty() const { return held_.empty(); }
  bool full() const { return bytes_ >= kMost; }
  /// All of them, in the order in which they came.
  std::vector<Held> Take() {
    bytes_ = 0;
    return std::exchange(held_, {});
  }

 private:
  std::vector<Held> held_;
  std::size_t bytes_ = 0;
};

}  // namespace cloudflaredump::capture
