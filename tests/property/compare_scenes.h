// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "extcap/pcap/pcapng_writer.h"
#include "tests/property/compare_traffic.h"

/// The cases of compare_property: what happens to packets between Cloudflare and a router.
namespace compare_traffic {

inline constexpr std::uint32_t kEthernetLink = 1;
inline constexpr std::uint32_t kRawLink = 101;

/// What a case makes, and what must come out.
struct Scene {
  std::vector<Sent> sent{};
  std::vector<std::vector<Record>> locals{std::vector<Record>{}};
  std::uint32_t link_type = kEthernetLink;
  std::uint32_t snap = 262144;
  std::string first_kind{};  ///< of the first finding; empty: none
  std::string value{};       ///< of it; empty: not checked
  bool by_packet = true;     ///< fates are checked packet by packet, not only counted
  bool comparable = true;
  std::size_t every = 4;  ///< a sample has one of so many
  std::uint64_t duplicates = 0;
  bool check_duplicates = false;
  double offset = 0.008;  ///< seconds
  double drift = 0;       ///< ppm
  bool merged = false;
  bool own_loss = false;
  std::string pcapng{};                    ///< written instead of locals[0]
  std::int64_t shortest = 0, longest = 0;  ///< size limit: the largest that arrives lies between
};

/// Makes a scene anew for each random seed.
struct Case {
  const char* name;
  Scene (*make)(Random&);
};

std::span<const Case> Cases();

/// Traffic whose losses are random, through `tunnel` (null: none) to one interface of the router,
/// in frames with so many VLAN tags; `rewrite` as in Forward.
Scene Simple(Random& random, TrafficOptions options, const Tunnel* tunnel, int tags = 0,
             bool rewrite = false);

/// Returns a pcapng file of the records, by microseconds.
std::string Pcapng(const std::vector<cloudflaredump::pcap::InterfaceBlock>& interfaces,
                   const std::vector<Record>& records);

}  // namespace compare_traffic
