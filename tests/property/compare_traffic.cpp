// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/compare_traffic.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace compare_traffic {
namespace {

void Put16(Octets& out, std::size_t at, std::uint32_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}
void Put32(Octets& out, std::size_t at, std::uint32_t value) {
  Put16(out, at, value >> 16);
  Put16(out, at + 2, value);
}
std::uint32_t Get16(const Octets& in, std::size_t at) {
  return static_cast<std::uint32_t>(in[at] << 8 | in[at + 1]);
}

std::uint32_t Pick(Random& random, std::uint32_t below) {
  return static_cast<std::uint32_t>(random() % below);
}

void SumHeader(Octets& ip) {
  Put16(ip, 10, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 4U * (ip[0] & 15); i += 2) sum += Get16(ip, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  Put16(ip, 10, ~sum & 0xffff);
}

Octets Ipv6(std::uint8_t protocol, const Octets& payload, std::uint32_t source,
            std::uint32_t destination) {
  Octets ip(40);
  ip[0] = 0x60;
  Put16(ip, 4, static_cast<std::uint32_t>(payload.size()));
  ip[6] = protocol;
  ip[7] = 64;
  Put32(ip, 8, 0x20010db8);
  Put32(ip, 20, source);
  Put32(ip, 24, 0x20010db8);
  Put32(ip, 28, 0x01130000);
  Put32(ip, 36, destination);
  ip.insert(ip.end(), payload.begin(), payload.end());
  return ip;
}

Octets Tcp(std::uint16_t source_port, std::uint16_t destination_port, std::uint32_t sequence,
           std::uint8_t flags, const Octets& data) {
  const bool syn = (flags & 2) != 0;
  Octets tcp(syn ? 24 : 20);
  Put16(tcp, 0, source_port);
  Put16(tcp, 2, destination_port);
  Put32(tcp, 4, sequence);
  Put32(tcp, 8, syn ? 0 : 77777);
  tcp[12] = syn ? 0x60 : 0x50;
  tcp[13] = flags;
  Put16(tcp, 14, 64240);
  if (syn) {
    Put16(tcp, 20, 0x0204);
    Put16(tcp, 22, 1460);
  }
  tcp.insert(tcp.end(), data.begin(), data.end());
  return tcp;
}

struct Flow {
  std::uint32_t source, destination;
  std::uint16_t source_port, destination_port;
  std::uint8_t protocol;
  std::uint32_t sequence;
  bool begun = false;
};

}  // namespace

Octets RandomOctets(std::size_t size, Random& random) {
  Octets octets(size);
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random() >> 20);
  return octets;
}

Octets Ipv4(std::uint8_t protocol, const Octets& payload, std::uint32_t source,
            std::uint32_t destination, std::uint16_t id, bool do_not_fragment) {
  Octets ip(20);
  ip[0] = 0x45;
  Put16(ip, 2, static_cast<std::uint32_t>(20 + payload.size()));
  Put16(ip, 4, id);
  ip[6] = do_not_fragment ? 0x40 : 0;
  ip[8] = 60;
  ip[9] = protocol;
  Put32(ip, 12, source);
  Put32(ip, 16, destination);
  SumHeader(ip);
  ip.insert(ip.end(), payload.begin(), payload.end());
  return ip;
}

Octets Udp(std::uint16_t source_port, std::uint16_t destination_port, const Octets& data) {
  Octets udp(8);
  Put16(udp, 0, source_port);
  Put16(udp, 2, destination_port);
  Put16(udp, 4, static_cast<std::uint32_t>(8 + data.size()));
  udp.insert(udp.end(), data.begin(), data.end());
  return udp;
}

std::uint32_t SizeOf(const Octets& ip) {
  return ip[0] >> 4 == 4 ? Get16(ip, 2) : 40 + Get16(ip, 4);
}

std::vector<Sent> MakeTraffic(const TrafficOptions& options, Random& random) {
  constexpr std::uint16_t kPorts[] = {443, 80, 8443, 25, 993, 22};
  std::vector<Flow> flows;
  for (std::size_t i = 0; i < options.flows; ++i) {
    const std::uint32_t kind = Pick(random, 10);
    const std::uint8_t protocol = kind < 6 ? 6 : kind < 9 ? 17 : options.ipv6 ? 58 : 1;
    const std::uint32_t number = Pick(random, static_cast<std::uint32_t>(options.destinations));
    // Four networks of destinations.
    const std::uint32_t destination = 0xcb007100U + (number % 4) * 256 + 1 + number / 4;
    flows.push_back({.source = 0xc6330000U + Pick(random, 4000),
                     .destination = destination,
                     .source_port = static_cast<std::uint16_t>(1024 + Pick(random, 60000)),
                     .destination_port = protocol == 17
                                             ? static_cast<std::uint16_t>(53 + Pick(random, 3))
                                             : kPorts[Pick(random, 6)],
                     .protocol = protocol,
                     .sequence = static_cast<std::uint32_t>(random())});
  }
  std::vector<std::int64_t> times(options.packets);
  for (auto& time : times) {
    time = kStart + static_cast<std::int64_t>(
                        random() % static_cast<std::uint64_t>(options.seconds * kSecond));
    time -= time % 1000;
  }
  std::ranges::sort(times);
  std::vector<Sent> sent;
  std::uint16_t id = static_cast<std::uint16_t>(random());
  std::uniform_real_distribution<double> share(0, 1);
  std::exponential_distribution<double> jitter(1.0 / 1.5e6);
  for (const std::int64_t time : times) {
    const std::uint32_t number = Pick(random, static_cast<std::uint32_t>(flows.size()));
    Flow& flow = flows[number];
    const std::uint32_t header = (options.ipv6 ? 40U : 20U) + (flow.protocol == 6 ? 20U : 8U);
    const std::uint32_t room = options.largest - header;
    const std::uint32_t size = share(random) < 0.3 ? Pick(random, 200) : Pick(random, room + 1);
    Octets layer4;
    if (flow.protocol == 6) {
      const bool syn = !flow.begun;
      const Octets data = RandomOctets(syn ? 0 : size, random);
      layer4 = Tcp(flow.source_port, flow.destination_port, flow.sequence, syn ? 2 : 0x18, data);
      flow.sequence += static_cast<std::uint32_t>(syn ? 1 : data.size());
      flow.begun = true;
    } else if (flow.protocol == 17) {
      layer4 = Udp(flow.source_port, flow.destination_port, RandomOctets(size, random));
    } else {
      layer4.assign(8, 0);
      layer4[0] = flow.protocol == 1 ? 8 : 128;
      Put16(layer4, 4, flow.source_port);
      Put16(layer4, 6, flow.sequence++);
      const Octets data = RandomOctets(std::min(size, 1000U), random);
      layer4.insert(layer4.end(), data.begin(), data.end());
    }
    Sent packet{.time = time, .flow = number, .destination = flow.destination};
    id = static_cast<std::uint16_t>(id + 1 + Pick(random, 5));
    const bool df = flow.protocol == 6 && !options.may_fragment;
    packet.ip = options.ipv6 ? Ipv6(flow.protocol, layer4, flow.source, flow.destination)
                             : Ipv4(flow.protocol, layer4, flow.source, flow.destination, id, df);
    packet.arrives = share(random) >= options.loss;
    packet.delay = 8 * kMillisecond + static_cast<std::int64_t>(jitter(random));
    sent.push_back(std::move(packet));
  }
  return sent;
}

std::vector<Octets> Fragment(const Octets& ip, std::uint32_t mtu) {
  if (ip.size() <= mtu) return {ip};
  const std::size_t step = (mtu - 20) / 8 * 8;
  std::vector<Octets> fragments;
  for (std::size_t at = 20; at < ip.size(); at += step) {
    const std::size_t end = std::min(ip.size(), at + step);
    Octets fragment(ip.begin(), ip.begin() + 20);
    fragment.insert(fragment.end(), ip.begin() + static_cast<std::ptrdiff_t>(at),
                    ip.begin() + static_cast<std::ptrdiff_t>(end));
    Put16(fragment, 2, static_cast<std::uint32_t>(fragment.size()));
    Put16(fragment, 6,
          static_cast<std::uint32_t>((at - 20) / 8) | (end < ip.size() ? 0x2000U : 0U));
    SumHeader(fragment);
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

std::vector<Octets> Encapsulate(const Octets& ip, const Tunnel& tunnel, Random& random) {
  Octets inside;
  const bool v6 = ip[0] >> 4 == 6;
  if (tunnel.gre) {
    inside.assign(4, 0);
    if (tunnel.checksum) {
      inside[0] |= 0x80;
      inside.resize(inside.size() + 4);
    }
    if (tunnel.key) {
      inside[0] |= 0x20;
      const Octets key = {0, 0, 0x12, 0x34};
      inside.insert(inside.end(), key.begin(), key.end());
    }
    if (tunnel.sequence) {
      inside[0] |= 0x10;
      const Octets number = RandomOctets(4, random);
      inside.insert(inside.end(), number.begin(), number.end());
    }
    Put16(inside, 2, v6 ? 0x86dd : 0x0800);
  }
  inside.insert(inside.end(), ip.begin(), ip.end());
  const std::uint8_t protocol = tunnel.gre ? 47 : v6 ? 41 : 4;
  const Octets outer = Ipv4(protocol, inside, 0xa29f4001, 0xc0000200U + tunnel.last,
                            static_cast<std::uint16_t>(random()), false);
  return Fragment(outer, tunnel.mtu);
}

Octets Ethernet(const Octets& ip, int tags) {
  Octets frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  for (int i = 0; i < tags; ++i) {
    const Octets tag = {static_cast<std::uint8_t>(i + 1 < tags ? 0x88 : 0x81),
                        static_cast<std::uint8_t>(i + 1 < tags ? 0xa8 : 0x00), 0x20,
                        static_cast<std::uint8_t>(100 + i)};
    frame.insert(frame.end(), tag.begin(), tag.end());
  }
  frame.push_back(ip[0] >> 4 == 4 ? 0x08 : 0x86);
  frame.push_back(ip[0] >> 4 == 4 ? 0x00 : 0xdd);
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.resize(std::max<std::size_t>(frame.size(), 60));  // padding
  return frame;
}

Octets Forward(Octets ip, bool rewrite) {
  if (ip[0] >> 4 == 6) {
    --ip[7];
    if (rewrite) ip[0] = static_cast<std::uint8_t>(ip[0] ^ 0x0b);
    return ip;
  }
  --ip[8];
  if (rewrite) {
    ip[1] = static_cast<std::uint8_t>(ip[1] ^ 0xb8);
    if (ip[9] == 6 && (ip[33] & 2) != 0) Put16(ip, 42, 1360);
  }
  SumHeader(ip);
  return ip;
}

void WritePcap(const std::string& path, const std::vector<Record>& records, std::uint32_t link_type,
               std::uint32_t snap) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  const std::uint32_t head[6] = {0xa1b2c3d4, 0x00040002, 0, 0, snap, link_type};
  std::fwrite(head, sizeof(head), 1, file);
  for (const Record& record : records) {
    const std::uint32_t original =
        record.original != 0 ? record.original : static_cast<std::uint32_t>(record.bytes.size());
    const auto captured = std::min(snap, static_cast<std::uint32_t>(record.bytes.size()));
    const std::uint32_t words[4] = {static_cast<std::uint32_t>(record.time / kSecond),
                                    static_cast<std::uint32_t>(record.time % kSecond / 1000),
                                    captured, original};
    std::fwrite(words, sizeof(words), 1, file);
    std::fwrite(record.bytes.data(), captured, 1, file);
  }
  std::fclose(file);
}

std::vector<Record> SampleOf(const std::vector<Sent>& sent, std::size_t every, Random& random,
                             std::vector<std::size_t>& chosen) {
  constexpr std::size_t kSampleLength = 160;
  std::vector<Record> records;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (random() % every != 0) continue;
    chosen.push_back(i);
    Record record{.time = sent[i].time,
                  .bytes = sent[i].ip,
                  .original = static_cast<std::uint32_t>(sent[i].ip.size())};
    record.bytes.resize(std::min(record.bytes.size(), kSampleLength));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace compare_traffic
