// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

namespace cloudflaredump::filter {

/// The requests of a plan overlap: a packet from A to A is in {destination A} and in {source A}.
/// This tells which of their packets to deliver, so that each is delivered once.
///
/// A packet is its record: time, lengths and bytes. The network really repeats records now and
/// then, so they are counted: of a record that the requests returned 2, 1 and 3 times, 3 are
/// delivered. Nothing is held back merely because another request should have had it.
///
/// Keeps a copy of every record it was asked about, until it is destroyed: one object for each
/// window of a sample, which is at most 10,000 packets of 160 bytes for each request.
class DuplicateFilter {
 public:
  static constexpr std::size_t kMostRequests = 4;

  /// Whether to deliver this packet of request number `request` (below kMostRequests). Packets may
  /// come in any order. The time is the file's, in nanoseconds since 1970.
  bool Take(std::size_t request, std::uint64_t nanoseconds, std::uint32_t original_length,
            std::span<const std::byte> bytes);

 private:
  /// How often each request had the record.
  using Counts = std::array<std::uint32_t, kMostRequests>;

  std::unordered_map<std::string, Counts> records_;
};

}  // namespace cloudflaredump::filter
