// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloudflaredump {

/// An IPv4 packet with UDP in it, from the IP header on (LINKTYPE_RAW): from 10.0.0.`from` to
/// 10.0.0.`to`, source port 40000, to port `port`.
inline std::string UdpPacket(int from, int to, int port, std::string_view data = "data") {
  std::string packet;
  const auto half = [&packet](std::size_t number) {
    packet += static_cast<char>(number >> 8);
    packet += static_cast<char>(number);
  };
  const std::size_t udp_length = 8 + data.size();
  half(0x4500);
  half(20 + udp_length);
  half(0);
  half(0);
  half(0x4011);  // hops left, UDP
  half(0);
  for (const int host : {from, to}) {
    half(0x0a00);
    half(static_cast<std::size_t>(host));
  }
  half(40000);
  half(static_cast<std::size_t>(port));
  half(udp_length);
  half(0);
  return packet.append(data);
}

}  // namespace cloudflaredump
