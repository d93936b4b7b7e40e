// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/generator.h"

#include <algorithm>
#include <random>
#include <string>

#include "tests/emulator/packet_builder.h"

namespace cloudflare_emulator {
namespace {

constexpr std::uint16_t kHttp = 80;
constexpr std::uint16_t kHttps = 443;
constexpr std::uint16_t kDns = 53;

Address Ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
  Address address;
  const unsigned parts[] = {a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(parts[i]);
  return address;
}

/// 2001:db8:<site>::<host>
Address Ipv6(std::uint16_t site, std::uint16_t host) {
  Address address{.ipv6 = true, .bytes = {0x20, 0x01, 0x0d, 0xb8}};
  address.bytes[4] = static_cast<std::uint8_t>(site >> 8);
  address.bytes[5] = static_cast<std::uint8_t>(site);
  address.bytes[14] = static_cast<std::uint8_t>(host >> 8);
  address.bytes[15] = static_cast<std::uint8_t>(host);
  return address;
}

/// One second of traffic in the making. The generator's own numbers, not <random>'s distributions,
/// which differ between libraries.
class Second {
 public:
  Second(std::uint64_t seed, std::int64_t second)
      : random_(seed * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(second)),
        start_(std::chrono::seconds(second)) {}

  unsigned Below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  std::uint16_t Any16() { return static_cast<std::uint16_t>(random_()); }
  std::uint16_t ClientPort() { return static_cast<std::uint16_t>(49152 + Below(16384)); }

  ByteList AnyBytes(std::size_t size) {
    ByteList bytes(size);
    std::ranges::generate(bytes, [this] { return static_cast<std::uint8_t>(random_()); });
    return bytes;
  }

  Ends ClientAndServer(bool ipv6, unsigned server) {
    if (ipv6) return {Ipv6(0x51, Any16()), Ipv6(0x113, static_cast<std::uint16_t>(server))};
    const unsigned host = 1 + Below(254);
    const Address client = Below(2) == 0 ? Ipv4(198, 51, 100, host) : Ipv4(192, 0, 2, host);
    return {client, Ipv4(203, 0, 113, server)};
  }

  /// Begins a conversation in the first third of the second, its packets 3 to 23 ms apart.
  void Begin() { next_ = start_ + std::chrono::microseconds(Below(333000)); }

  void Add(ByteList packet) {
    const auto length = static_cast<std::uint32_t>(packet.size());
    records_.push_back({next_, kRaw, length, std::move(packet)});
    // No packet falls on a whole microsecond, so files in nanoseconds have something to say.
    next_ += std::chrono::nanoseconds(3'000'001 + Below(20'000'000));
  }

  std::vector<Record> Done() {
    std::ranges::stable_sort(records_, {}, &Record::time);
    return std::move(records_);
  }

 private:
  std::mt19937_64 random_;
  Time start_;
  Time next_;
  std::vector<Record> records_;
};

/// Both directions of one TCP connection.
class Connection {
 public:
  Connection(Second& second, const Ends& ends, std::uint16_t port)
      : second_(second), ends_(ends), port_(port), client_port_(second.ClientPort()) {
    client_sequence_ = second.Any16() * 65536U;
    server_sequence_ = second.Any16() * 65536U;
  }

  void Run(const ByteList& request, const ByteList& reply) {
    FromClient(kSyn);
    FromServer(kSyn | kAck);
    FromClient(kAck);
    FromClient(kPush | kAck, request);
    FromServer(kAck);
    FromServer(kPush | kAck, reply);
    FromClient(kFin | kAck);
    FromServer(kFin | kAck);
    FromClient(kAck);
  }

 private:
  static std::uint32_t Taken(unsigned flags, const ByteList& data) {
    return static_cast<std::uint32_t>(data.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
  }
  void FromClient(unsigned flags, const ByteList& data = {}) {
    second_.Add(TcpPacket(
        ends_, {client_port_, port_, client_sequence_, flags == kSyn ? 0 : server_sequence_,
                static_cast<std::uint8_t>(flags), data}));
    client_sequence_ += Taken(flags, data);
  }
  void FromServer(unsigned flags, const ByteList& data = {}) {
    second_.Add(
        TcpPacket(ends_.Reversed(), {port_, client_port_, server_sequence_, client_sequence_,
                                     static_cast<std::uint8_t>(flags), data}));
    server_sequence_ += Taken(flags, data);
  }

  Second& second_;
  Ends ends_;
  std::uint16_t port_;
  std::uint16_t client_port_;
  std::uint32_t client_sequence_ = 0;
  std::uint32_t server_sequence_ = 0;
};

ByteList FromText(const std::string& text) {
  return {text.begin(), text.end()};
}

void AddHttp(Second& second) {
  second.Begin();
  const std::string page(200 + second.Below(1000), '.');
  Connection(second, second.ClientAndServer(false, 80), kHttp)
      .Run(FromText("GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.14.1\r\n\r\n"),
           FromText("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                    std::to_string(page.size()) + "\r\n\r\n" + page));
}

void AddHttps(Second& second, bool ipv6) {
  second.Begin();
  const ByteList hello = TlsClientHello("www.example.com", second.AnyBytes(32));
  const ByteList data = TlsData(second.AnyBytes(300 + second.Below(1000)));
  Connection(second, second.ClientAndServer(ipv6, 7), kHttps).Run(hello, data);
}

void AddDns(Second& second, bool ipv6) {
  second.Begin();
  static const char* const kNames[] = {"www.example.com", "mail.example.net", "api.example.org"};
  const std::string name = kNames[second.Below(3)];
  const Ends ends = second.ClientAndServer(ipv6, 53);
  const std::uint16_t id = second.Any16();
  const std::uint16_t port = second.ClientPort();
  const Address address = ipv6 ? Ipv6(0x113, 7) : Ipv4(203, 0, 113, 7);
  second.Add(UdpPacket(ends, port, kDns, DnsQuery(id, name, ipv6)));
  second.Add(UdpPacket(ends.Reversed(), kDns, port, DnsAnswer(id, name, address)));
}

void AddEcho(Second& second, bool ipv6) {
  second.Begin();
  const Ends ends = second.ClientAndServer(ipv6, 7);
  const std::uint16_t identifier = second.Any16();
  const ByteList data = second.AnyBytes(56);
  second.Add(EchoPacket(ends, false, identifier, 1, data));
  second.Add(EchoPacket(ends.Reversed(), true, identifier, 1, data));
}

void AddGre(Second& second) {
  second.Begin();
  // Between Cloudflare's and the customer's tunnel ends; inside, a DNS exchange of the customer's.
  const Ends tunnel{Ipv4(192, 0, 2, 1), Ipv4(203, 0, 113, 1)};
  const Ends ends = second.ClientAndServer(false, 53);
  const std::uint16_t id = second.Any16();
  const std::uint16_t port = second.ClientPort();
  const std::string name = "gre.example.com";
  second.Add(GrePacket(tunnel, UdpPacket(ends, port, kDns, DnsQuery(id, name, false))));
  second.Add(GrePacket(tunnel.Reversed(), UdpPacket(ends.Reversed(), kDns, port,
                                                    DnsAnswer(id, name, Ipv4(203, 0, 113, 9)))));
}

}  // namespace

std::vector<Record> GenerateSecond(std::uint64_t seed, std::int64_t second_number) {
  Second second(seed, second_number);
  switch (second_number & 7) {
    case 0:
      AddHttp(second);
      break;
    case 1:
      AddDns(second, true);
      break;
    case 2:
      AddEcho(second, false);
      break;
    case 3:
      AddHttps(second, true);
      break;
    case 4:
      AddGre(second);
      break;
    case 5:
      AddEcho(second, true);
      break;
    default:
      AddHttps(second, false);
      break;
  }
  if (second_number % 2 == 0) AddDns(second, false);
  return second.Done();
}

}  // namespace cloudflare_emulator
