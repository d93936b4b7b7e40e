// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "extcap/api/pcap_job.h"

namespace cloudflaredump::capture {

/// The most packets that Cloudflare takes into one capture (the API's schema).
inline constexpr std::uint64_t kMostPackets = 10000;

/// What came of a capture, to be held against its limits.
struct Received {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;           ///< as records of a pcap file, their headers included
  std::uint64_t longest_record = 0;  ///< of these
};

/// Whether a limit ended a capture early.
struct LimitState {
  std::optional<std::string> reached = {};  ///< "10,000 packets"
  bool known = false;  ///< the limits are known, or one of them is known to be reached

  /// For a field: nothing where it is not known.
  std::optional<bool> value() const {
    return known ? std::optional(reached.has_value()) : std::nullopt;
  }
};

/// Holds what came against the limits that `job` says. Limits that it does not say are not known,
/// except that no capture has more than kMostPackets.
LimitState JudgeLimits(const api::PcapJob& job, const Received& received);

}  // namespace cloudflaredump::capture
