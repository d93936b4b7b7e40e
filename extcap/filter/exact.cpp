// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/exact.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "extcap/filter/path_box.h"
#include "extcap/filter/walk.h"

namespace cloudflaredump::filter {
namespace {

std::uint32_t Big32(const IpAddress& address, std::uint32_t at) {
  return static_cast<std::uint32_t>(address.bytes[at]) << 24 |
         static_cast<std::uint32_t>(address.bytes[at + 1]) << 16 |
         static_cast<std::uint32_t>(address.bytes[at + 2]) << 8 | address.bytes[at + 3];
}

/// Packets of one family in a box; nothing if a box has none with these facts.
struct Start {
  Facts facts;
  SurelyThere there;
};

bool AddAddress(Facts& facts, const std::optional<IpAddress>& address, IpFamily family,
                std::uint32_t offset) {
  if (!address) return true;
  const bool ipv4 = family == IpFamily::kIpv4;
  if ((address->version == 4) != ipv4) return false;
  for (std::uint32_t i = 0; i < (ipv4 ? 4U : 16U); i += 4) {
    if (!facts.AddEqual({false, offset + i, 4}, Big32(*address, i))) return false;
  }
  return true;
}

bool AddAddresses(Facts& facts, const Box& box, IpFamily family) {
  const bool ipv4 = family == IpFamily::kIpv4;
  return AddAddress(facts, box.source_address, family,
                    ipv4 ? kIpv4Source.offset : kIpv6SourceOffset) &&
         AddAddress(facts, box.destination_address, family,
                    ipv4 ? kIpv4Destination.offset : kIpv6DestinationOffset);
}

void AddPort(Facts& facts, const Window& window, const std::optional<std::uint16_t>& port) {
  if (port) facts.AddEqual(window, *port);
}

/// The protocols that packets of `box` may have, if that is a short list: one, or those that have
/// ports; empty for any.
std::vector<std::uint8_t> Protocols(const Box& box) {
  const bool ports = PinsPort(box);
  std::vector<std::uint8_t> protocols;
  if (!ports && box.protocol) protocols.push_back(*box.protocol);
  for (const std::uint8_t protocol : kPortProtocols) {
    if (ports && box.protocol.value_or(protocol) == protocol) protocols.push_back(protocol);
  }
  return protocols;
}

void AddIpv4Starts(const Box& box, std::vector<Start>& starts) {
  Start start{FamilyFacts(IpFamily::kIpv4), {kIpv4HeaderBytes, 0}};
  if (!AddAddresses(start.facts, box, IpFamily::kIpv4)) return;
  if (PinsPort(box)) {
    start.facts.Add({.window = kIpv4Fragment, .mask = 0x1fff, .least = 0, .most = 0});
    AddPort(start.facts, kIpv4SourcePort, box.source_port);
    AddPort(start.facts, kIpv4DestinationPort, box.destination_port);
    start.there.behind_header = 4;
  }
  if (!PinsPort(box) && !box.protocol) starts.push_back(start);
  for (const std::uint8_t protocol : Protocols(box)) {
    starts.push_back(start);
    starts.back().facts.AddEqual(kIpv4Protocol, protocol);
  }
}

/// A field that looks behind extension headers also holds packets that begin with any of those.
void AddIpv6Starts(const Box& box, std::vector<Start>& starts) {
  Start start{FamilyFacts(IpFamily::kIpv6), {kIpv6HeaderBytes, 0}};
  if (!AddAddresses(start.facts, box, IpFamily::kIpv6)) return;
  if (!PinsPort(box) && !box.protocol) {
    starts.push_back(start);
    return;
  }
  for (const std::uint8_t protocol : Protocols(box)) {
    if (std::ranges::find(kExtensionHeaders, protocol) != kExtensionHeaders.end()) return;
    starts.push_back(start);
    starts.back().facts.AddEqual(kIpv6NextHeader, protocol);
    if (!PinsPort(box)) continue;
    AddPort(starts.back().facts, kIpv6SourcePort, box.source_port);
    AddPort(starts.back().facts, kIpv6DestinationPort, box.destination_port);
    starts.back().there.from_start = kIpv6HeaderBytes + 4;
  }
  for (const std::uint8_t extension : kExtensionHeaders) {
    starts.push_back(start);
    starts.back().facts.AddEqual(kIpv6NextHeader, extension);
  }
}

}  // namespace

bool AcceptsAllOf(std::span<const bpf_insn> program, const Box& box) {
  std::vector<Start> starts;
  AddIpv4Starts(box, starts);
  AddIpv6Starts(box, starts);
  const WalkVisitor stop_at_reject{.accepts = {}, .rejects = [](const Facts&) { return false; }};
  return std::ranges::all_of(starts, [&](const Start& start) {
    return Walk(program, start.facts, start.there, stop_at_reject) == WalkEnd::kWhole;
  });
}

}  // namespace cloudflaredump::filter
