// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "common/time.h"

namespace cloudflaredump::filter {

/// The requests of a plan overlap: a packet from A to A is in {destination A} and in {source A}.
/// So do the windows of a capture: by an instant, or by more where samples come late. This tells
/// which packets to deliver, so that each is delivered once.
///
/// A packet is its record: time, lengths and bytes. The network really repeats records now and
/// then, so they are counted: of a record that the requests of a window returned 2, 1 and 3 times
/// 3 are delivered, and of one that the next window returns 4 times one more. Nothing is held back
/// merely because another request should have had it.
///
/// Keeps a copy of every record it was asked about until a window begins that is later than it: a
/// window is at most 10,000 packets of 160 bytes for each request. A server that sends far more
/// fills it: what is new then is delivered unseen.
class DuplicateFilter {
 public:
  static constexpr std::size_t kMostRequests = 4;
  /// Bytes that the copies may take: 20 times what the API's limits allow.
  static constexpr std::size_t kMemory = std::size_t{64} << 20;

  /// What the next window does with packets from before it.
  enum class Earlier : std::uint8_t {
    kTake,  ///< They are like any other.
    kSkip,  ///< They were delivered, though they are forgotten here.
  };

  /// Ends one window and begins another, which starts at `from`: earlier records are forgotten,
  /// later ones held against it.
  void BeginWindow(WallTime from, Earlier earlier = Earlier::kTake);

  /// Whether to deliver this packet of request number `request` (below kMostRequests). Packets may
  /// come in any order. The time is the file's, in nanoseconds since 1970.
  bool Take(std::size_t request, std::uint64_t nanoseconds, std::uint32_t original_length,
            std::span<const std::byte> bytes);

  /// Whether packets were delivered unseen, so that some may be there twice.
  bool overflowed() const { return overflowed_; }

 private:
  /// How often a record was delivered, and had by each request of the window.
  struct Counts {
    std::uint64_t nanoseconds;
    std::uint32_t delivered = 0;
    std::array<std::uint32_t, kMostRequests> seen = {};
  };

  using Records = std::unordered_map<std::string, Counts>;

  /// What a record takes, by estimate.
  static std::size_t SizeOf(const std::string& key) {
    return key.size() + sizeof(Records::value_type) + 4 * sizeof(void*);
  }

  Records records_;
  std::size_t memory_ = 0;         ///< that the records take
  std::uint64_t skip_before_ = 0;  ///< nanoseconds since 1970
  bool overflowed_ = false;
};

}  // namespace cloudflaredump::filter
