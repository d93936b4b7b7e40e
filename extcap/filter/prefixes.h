// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "extcap/filter/box.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::filter {

/// The address that `text` is; nothing for any other text.
std::optional<IpAddress> ParseIpAddress(const std::string& text);

/// The addresses that share their first `bits` bits with `address`, whose other bits are zero.
struct Prefix {
  IpAddress address;
  int bits = 0;
  auto operator<=>(const Prefix&) const = default;
  /// "203.0.113.0/24"
  std::string ToString() const;
};

/// The first `bits` bits of `address`, which has at least as many.
Prefix PrefixOf(const IpAddress& address, int bits);

/// Whether `prefix` has the address, or all addresses of the other prefix.
bool Contains(const Prefix& prefix, const IpAddress& address);
bool Contains(const Prefix& prefix, const Prefix& other);

/// A Box that may also say a prefix for an address which it does not pin. filter_v1 cannot say
/// prefixes; Cloudflare's analytics can say some.
struct PrefixBox {
  Box box;
  std::optional<Prefix> source;       ///< only if box.source_address is not set
  std::optional<Prefix> destination;  ///< only if box.destination_address is not set
  auto operator<=>(const PrefixBox&) const = default;
};

/// `box` written as a capture filter that a user could type; "" for the box that holds everything.
std::string PrefixBoxAsFilter(const PrefixBox& box);

/// At most 32 boxes that together hold every packet the filter accepts, none inside another. IPv6
/// addresses are pinned. Never fails: what is not understood is not said.
std::vector<PrefixBox> PrefixBoxes(const CaptureFilter& filter);

/// Whether the filter accepts every IPv4 and IPv6 packet that PrefixBoxAsFilter(box) accepts. False
/// if that is not certain.
bool AcceptsAllOf(const CaptureFilter& filter, const PrefixBox& box);

}  // namespace cloudflaredump::filter
