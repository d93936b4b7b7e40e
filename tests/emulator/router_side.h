// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {

/// How packets get from Cloudflare to the customer's routers, and what happens to them.
struct RouterOptions {
  std::vector<std::string> files{};  ///< one for each router; flows are shared out among them
  std::string tunnel = "gre";        ///< gre, gre-key, ipip or none
  double loss = 0;                   ///< percent
  double delay = 0.012;              ///< seconds
  double clock = 0;                  ///< seconds that the routers' clocks are ahead
  std::uint32_t mtu = 1476;          ///< larger inner packets are lost, or fragmented without DF
  std::uint32_t outer_mtu = 1500;    ///< larger outer packets are fragmented
  std::string drop{};                ///< an address to which nothing arrives; empty: none
};

/// Writes what routers capture of the traffic to the customer (203.0.113.0/24 and
/// 2001:db8:113::/48) into pcap files of Ethernet, and beside each, with ".truth.jsonl" at the end
/// of its name, an object a line for each packet that was sent its way: time, source, destination,
/// protocol, identification, length, arrived and, if not, why.
class RouterSide {
 public:
  /// Writes the packets from `first` on. The error is a sentence about a file.
  static Outcome<std::unique_ptr<RouterSide>> Open(const RouterOptions& options, std::uint64_t seed,
                                                   Time first);

  /// Appends the packets of `traffic` up to `now`.
  void Advance(const Traffic& traffic, Time now);

 private:
  struct Close {
    void operator()(FILE* file) const { fclose(file); }
  };
  using File = std::unique_ptr<FILE, Close>;
  struct Router {
    File packets, truth;
  };

  RouterSide(const RouterOptions& options, std::uint64_t seed, Time first)
      : options_(options), seed_(seed), written_until_(first) {}
  void Send(const Record& record);
  std::string WhyLost(const std::vector<std::uint8_t>& packet, std::uint64_t chance) const;
  void Arrive(Router& router, const std::vector<std::uint8_t>& packet, Time time,
              std::uint64_t chance, std::size_t number);

  RouterOptions options_;
  std::uint64_t seed_;
  Time written_until_;
  std::vector<Router> routers_;
};

}  // namespace cloudflare_emulator
