// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

/// Made pairs of captures whose truth is known: what Cloudflare saw, and what arrived at a router.
/// Builds packets and files byte by byte, apart from the code under test.
namespace compare_traffic {

using Octets = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kStart = 1'790'000'000 * kSecond;

/// A packet as Cloudflare saw it, from its IP header on, and what became of it.
struct Sent {
  std::int64_t time = 0;
  Octets ip{};
  std::uint32_t flow = 0, destination = 0;
  bool arrives = true;
  std::int64_t delay = 0;
};

struct TrafficOptions {
  std::size_t packets = 2000;
  std::size_t flows = 200;
  std::size_t destinations = 30;
  std::int64_t seconds = 60;
  double loss = 0.03;
  bool ipv6 = false;
  std::uint32_t largest = 1476;  ///< bytes of an IP packet
  bool may_fragment = false;     ///< no packet has DF
};

/// TCP, UDP and ICMP of random flows in order of time. All that flows have in common is random.
std::vector<Sent> MakeTraffic(const TrafficOptions& options, Random& random);

/// Sizes of the IP packet.
std::uint32_t SizeOf(const Octets& ip);

/// One record of a capture file.
struct Record {
  std::int64_t time = 0;
  Octets bytes{};
  std::uint32_t original = 0;  ///< 0: as many as there are
  std::uint32_t interface = 0;
};

struct Tunnel {
  bool key = false, sequence = false, checksum = false;
  bool gre = true;           ///< else IP in IP
  std::uint8_t last = 1;     ///< of the outer destination
  std::uint32_t mtu = 1500;  ///< the outer packet is fragmented above
};

/// `ip` behind tunnel headers; several packets if the outer one is fragmented.
std::vector<Octets> Encapsulate(const Octets& ip, const Tunnel& tunnel, Random& random);

/// `ip`, of version 4, in fragments that fit `mtu`.
std::vector<Octets> Fragment(const Octets& ip, std::uint32_t mtu);

/// `ip` behind an Ethernet header and so many VLAN tags.
Octets Ethernet(const Octets& ip, int tags = 0);

/// `ip` as a router forwards it: TTL one less; with `rewrite` DSCP and a SYN's MSS changed, too.
Octets Forward(Octets ip, bool rewrite = false);

/// A classic pcap file with microseconds. Records longer than `snap` are cut.
void WritePcap(const std::string& path, const std::vector<Record>& records, std::uint32_t link_type,
               std::uint32_t snap = 262144);

/// What a sample of 1 in `every` has of the traffic, cut at 160 bytes; `chosen` are the places of
/// its packets in `sent`.
std::vector<Record> SampleOf(const std::vector<Sent>& sent, std::size_t every, Random& random,
                             std::vector<std::size_t>& chosen);

// Packets by hand.
Octets Ipv4(std::uint8_t protocol, const Octets& payload, std::uint32_t source,
            std::uint32_t destination, std::uint16_t id, bool do_not_fragment);
Octets Udp(std::uint16_t source_port, std::uint16_t destination_port, const Octets& data);
Octets RandomOctets(std::size_t size, Random& random);

}  // namespace compare_traffic
