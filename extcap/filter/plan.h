// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extcap/filter/capture_filter.h"

namespace cloudflaredump {

/// An IP address of either version, as the bytes of the header.
struct IpAddress {
  int version = 4;                          ///< 4 or 6.
  std::array<std::uint8_t, 16> bytes = {};  ///< The first 4 for version 4, the rest zero.
  auto operator<=>(const IpAddress&) const = default;
  std::string ToString() const;
};

/// One request's filter: the packets whose fields equal all that is set. This is Cloudflare's
/// `filter_v1`; nothing set means every packet.
struct Box {
  std::optional<IpAddress> source_address;
  std::optional<IpAddress> destination_address;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::optional<std::uint8_t> protocol;
  auto operator<=>(const Box&) const = default;
};

/// `box` written as a capture filter that a user could type; "" for the box that holds everything.
std::string BoxAsFilter(const Box& box);

struct PlanOptions {
  int max_requests = 2;   ///< 1 to 4.
  bool pin_ipv6 = false;  ///< --filter-ipv6 on.
};

/// The requests that together cover every packet the filter accepts.
struct Plan {
  std::vector<Box> requests;  ///< At least one; destination-pinned boxes first.
  /// The boxes hold the same IPv4 and IPv6 packets as the filter accepts: no residual is needed.
  bool exact = false;
  /// The filter names an address or a port, but some request pins neither.
  bool broad = false;
  /// What the plan relies on that Cloudflare does not document, each a short phrase.
  std::vector<std::string> undocumented;
  /// The narrower boxes before merging (at most 16), as the sentence for a refused broad plan
  /// offers them.
  std::vector<Box> narrower;
};

/// Plans a filter. Never fails: what is not understood is not pinned.
Plan MakePlan(const CaptureFilter& filter, const PlanOptions& options);

}  // namespace cloudflaredump
