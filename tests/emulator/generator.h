// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "tests/emulator/link_layer.h"

namespace cloudflare_emulator {

/// The generated traffic that begins within the second `second` (since 1970) and ends within it
/// too, in time order, as raw IP: a pure function of its arguments, so any window of any length
/// shows the same packets whenever it is asked for.
///
/// Towards the customer's networks 203.0.113.0/24 and 2001:db8:113::/48, and back: TCP handshakes
/// with HTTP or TLS data over IPv4 and IPv6, DNS over UDP, ICMP and ICMPv6 echo, GRE. Within any
/// eight seconds each kind occurs. All addresses are for documentation (RFC 5737, RFC 3849).
std::vector<Record> GenerateSecond(std::uint64_t seed, std::int64_t second);

}  // namespace cloudflare_emulator
