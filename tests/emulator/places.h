// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/emulator/packet_test.h"

namespace cloudflare_emulator {

/// One `--entry` or `--drop`: what the packets that pass the test meet.
struct PacketRule {
  std::string name;  ///< A site such as "ord02", or a system such as "dosd".
  PacketTest test;
};

/// Reads `NAME=FILTER`. The error is a sentence.
Outcome<PacketRule> ParsePacketRule(const std::string& text);

/// Where packets enter Cloudflare's network, and what becomes of them there. The first rule that a
/// packet passes counts.
class Places {
 public:
  /// Packets that no entry names enter at `elsewhere`, a site; those that `egress` accepts come
  /// from the customer.
  Places(std::vector<PacketRule> entries, std::vector<PacketRule> drops, PacketTest egress,
         std::string elsewhere)
      : entries_(std::move(entries)),
        drops_(std::move(drops)),
        egress_(std::move(egress)),
        elsewhere_(std::move(elsewhere)) {}

  /// Whether there are entries: else every data center has all packets.
  bool told() const { return !entries_.empty(); }
  /// The site that the packet enters at: "ord02".
  const std::string& SiteOf(const Record& record) const;
  /// Whether it enters at `colo`: a site, or three letters for all of a city's, in any case.
  bool EntersAt(const Record& record, const std::string& colo) const;
  /// The system that drops it; empty if none does.
  std::string DroppedBy(const Record& record) const;
  bool IsEgress(const Record& record) const { return egress_.Holds(record); }

 private:
  std::vector<PacketRule> entries_;
  std::vector<PacketRule> drops_;
  PacketTest egress_;
  std::string elsewhere_;
};

/// "ORD" for "ord02".
std::string ColoOfSite(const std::string& site);

}  // namespace cloudflare_emulator
