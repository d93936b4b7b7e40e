// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/built_packet.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace cloudflaredump {
namespace {

constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;

void Put8(std::vector<std::byte>& bytes, unsigned number) {
  bytes.push_back(static_cast<std::byte>(number));
}

void Put16(std::vector<std::byte>& bytes, unsigned number) {
  Put8(bytes, number >> 8 & 0xff);
  Put8(bytes, number & 0xff);
}

void PutAddress(std::vector<std::byte>& bytes, const filter::IpAddress& address) {
  for (std::size_t i = 0; i < (address.version == 4 ? 4U : 16U); ++i) Put8(bytes, address.bytes[i]);
}

bool HasPorts(std::uint8_t protocol) {
  return protocol == 6 || protocol == 17 || protocol == 132;
}

bool IsExtension(std::uint8_t protocol) {
  for (const int extension : {0, 43, 44, 51, 60, 135}) {
    if (protocol == extension) return true;
  }
  return false;
}

std::uint16_t Filler(Random& random, const PacketPlan& plan) {
  if (plan.filler.empty() || Below(random, 2) == 0) return RandomPort(random);
  return plan.filler[Below(random, static_cast<std::uint32_t>(plan.filler.size()))];
}

/// The first bytes are the ports, or look like them where there are none.
void PutPayload(std::vector<std::byte>& bytes, const PacketPlan& plan) {
  Put16(bytes, plan.source_port);
  Put16(bytes, plan.destination_port);
  Random random(plan.payload_seed);
  for (std::uint32_t i = 4; i < plan.payload_bytes; i += 2) Put16(bytes, Filler(random, plan));
}

void SetPorts(const PacketPlan& plan, BuiltPacket& packet) {
  packet.source_port = plan.source_port;
  packet.destination_port = plan.destination_port;
}

BuiltPacket BuildIpv4(const PacketPlan& plan) {
  BuiltPacket packet;
  packet.source = plan.source;
  packet.destination = plan.destination;
  auto& bytes = packet.bytes;
  Random options(plan.payload_seed + 1);
  Put8(bytes, 0x40 | (5 + plan.option_words));
  Put8(bytes, 0);
  Put16(bytes, 20 + 4 * plan.option_words + plan.payload_bytes);
  Put16(bytes, 0x1234);
  Put16(bytes, (plan.more_fragments ? 0x2000U : 0U) | plan.fragment_offset);
  Put8(bytes, plan.time_to_live);
  Put8(bytes, plan.protocol);
  Put16(bytes, 0);
  PutAddress(bytes, plan.source);
  PutAddress(bytes, plan.destination);
  for (unsigned i = 0; i < plan.option_words; ++i) {
    Put16(bytes, Filler(options, plan));
    Put16(bytes, Filler(options, plan));
  }
  PutPayload(bytes, plan);
  packet.protocol = plan.protocol;
  if (HasPorts(plan.protocol) && plan.fragment_offset == 0) SetPorts(plan, packet);
  return packet;
}

void PutExtension(std::vector<std::byte>& bytes, std::uint8_t kind, std::uint8_t next,
                  const PacketPlan& plan, Random& random) {
  Put8(bytes, next);
  if (kind == kFragment) {
    Put8(bytes, 0);
    Put16(bytes, plan.fragment_offset << 3 | (plan.more_fragments ? 1U : 0U));
    Put16(bytes, 0);
    Put16(bytes, 7);
    return;
  }
  const unsigned words = kind == kAuthentication ? 1 + Below(random, 3) : 2 * Below(random, 2);
  // Authentication counts 4 bytes less 2, the others 8 bytes less 1.
  Put8(bytes, kind == kAuthentication ? words : words / 2);
  Put16(bytes, Filler(random, plan));
  for (unsigned i = 0; i < words + 1; ++i) {
    Put16(bytes, Filler(random, plan));
    Put16(bytes, Filler(random, plan));
  }
}

BuiltPacket BuildIpv6(const PacketPlan& plan) {
  BuiltPacket packet;
  packet.source = plan.source;
  packet.destination = plan.destination;
  auto& bytes = packet.bytes;
  Random random(plan.payload_seed + 1);
  std::vector<std::uint8_t> chain = plan.extensions;
  chain.push_back(plan.protocol);
  const auto fragment = std::ranges::find(plan.extensions, kFragment);
  const bool later = fragment != plan.extensions.end() && plan.fragment_offset > 0;
  // What follows a later fragment's header is not a header.
  if (later) chain.resize(static_cast<std::size_t>(fragment - plan.extensions.begin()) + 2);
  Put16(bytes, 0x6000);
  Put16(bytes, 0);
  Put16(bytes, plan.payload_bytes);
  Put8(bytes, chain.front());
  Put8(bytes, plan.time_to_live);
  PutAddress(bytes, plan.source);
  PutAddress(bytes, plan.destination);
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    PutExtension(bytes, chain[i], chain[i + 1], plan, random);
  }
  PutPayload(bytes, plan);
  if (!IsExtension(chain.back())) packet.protocol = chain.back();
  if (packet.protocol && HasPorts(*packet.protocol) && !later) SetPorts(plan, packet);
  return packet;
}

template <class List>
auto OneOf(Random& random, const List& list) {
  return list[Below(random, static_cast<std::uint32_t>(std::size(list)))];
}

std::vector<std::uint8_t> RandomExtensions(Random& random) {
  constexpr std::uint8_t kKinds[] = {0, 43, 44, 51, 60, 135};
  std::vector<std::uint8_t> extensions;
  while (Below(random, 3) == 0 && extensions.size() < 4) {
    const std::uint8_t kind = OneOf(random, kKinds);
    const bool second_fragment =
        kind == kFragment && std::ranges::find(extensions, kind) != extensions.end();
    if (!second_fragment) extensions.push_back(kind);
  }
  return extensions;
}

filter::IpAddress DrawAddress(Random& random, const Vocabulary& words, int version) {
  if (words.addresses.empty() || Below(random, 2) == 0) return RandomAddress(random, version);
  filter::IpAddress address = OneOf(random, words.addresses);
  if (address.version != version) return RandomAddress(random, version);
  if (Below(random, 3) == 0) address.bytes[version == 4 ? 3 : 15] += Below(random, 4);
  if (Below(random, 4) == 0) {
    address.bytes[1 + Below(random, version == 4 ? 3 : 15)] = static_cast<std::uint8_t>(random());
  }
  return address;
}

std::uint16_t DrawPort(Random& random, const Vocabulary& words) {
  if (words.numbers.empty() || Below(random, 3) == 0) return RandomPort(random);
  const std::uint32_t spread = Below(random, 2) == 0 ? 0 : Below(random, 5);
  return static_cast<std::uint16_t>(OneOf(random, words.numbers) + spread - spread / 2);
}

std::uint8_t DrawProtocol(Random& random, const Vocabulary& words) {
  if (words.numbers.empty() || Below(random, 2) == 0) return RandomProtocol(random);
  return static_cast<std::uint8_t>(OneOf(random, words.numbers));
}

template <class T>
bool Agrees(const std::optional<T>& pinned, const std::optional<T>& value) {
  return !pinned || pinned == value;
}

}  // namespace

filter::IpAddress RandomAddress(Random& random, int version) {
  filter::IpAddress address{.version = version};
  if (version == 6) {
    address.bytes = {0x20, 0x01, 0x0d, 0xb8};
    address.bytes[15] = static_cast<std::uint8_t>(Below(random, 4));
    if (Below(random, 4) == 0) address.bytes[7] = static_cast<std::uint8_t>(random());
    if (Below(random, 16) == 0) address.bytes[0] = 0xff;
    return address;
  }
  constexpr std::uint32_t kNets[] = {0xc0000200, 0xc0000204, 0x0a000000, 0x0a010000, 0xcb007100};
  std::uint32_t number = OneOf(random, kNets) + Below(random, 4);
  if (Below(random, 8) == 0) number = static_cast<std::uint32_t>(random());
  return filter::Ipv4Address(number);
}

std::uint16_t RandomPort(Random& random) {
  constexpr std::uint16_t kPorts[] = {0, 22, 53, 80, 81, 82, 83, 443, 1023, 1024, 8080, 65535};
  if (Below(random, 8) == 0) return static_cast<std::uint16_t>(random());
  return OneOf(random, kPorts);
}

std::uint8_t RandomProtocol(Random& random) {
  constexpr std::uint8_t kProtocols[] = {6,  6,  6,  17, 17, 17,  132, 132, 1,
                                         58, 47, 50, 89, 2,  103, 112, 88,  59};
  constexpr std::uint8_t kOdd[] = {0, 43, 44, 51, 60, 135};
  if (Below(random, 12) == 0) return OneOf(random, kOdd);
  if (Below(random, 12) == 0) return static_cast<std::uint8_t>(random());
  return OneOf(random, kProtocols);
}

BuiltPacket Build(const PacketPlan& plan) {
  return plan.version == 4 ? BuildIpv4(plan) : BuildIpv6(plan);
}

Vocabulary WordsOf(const std::string& filter) {
  Vocabulary words;
  constexpr const char* kWord = "0123456789abcdefx.:";
  for (std::size_t at = filter.find_first_of(kWord); at != std::string::npos;) {
    const std::size_t end = std::min(filter.find_first_not_of(kWord, at), filter.size());
    const std::string word = filter.substr(at, end - at);
    filter::IpAddress address{.version = 4};
    if (inet_pton(AF_INET, word.c_str(), address.bytes.data()) == 1) {
      words.addresses.push_back(address);
    } else if (inet_pton(AF_INET6, word.c_str(), address.bytes.data()) == 1) {
      address.version = 6;
      words.addresses.push_back(address);
    } else {
      const unsigned long number = std::strtoul(word.c_str(), nullptr, 0);
      words.numbers.push_back(static_cast<std::uint16_t>(number));
      words.addresses.push_back(filter::Ipv4Address(static_cast<std::uint32_t>(number)));
    }
    at = filter.find_first_of(kWord, end);
  }
  return words;
}

PacketPlan RandomPacketPlan(Random& random, const Vocabulary& words) {
  PacketPlan plan;
  plan.version = Below(random, 3) == 0 ? 6 : 4;
  plan.source = DrawAddress(random, words, plan.version);
  plan.destination = Below(random, 8) == 0 ? plan.source : DrawAddress(random, words, plan.version);
  // An extension header cannot be the last thing in IPv6.
  do plan.protocol = DrawProtocol(random, words);
  while (plan.version == 6 && IsExtension(plan.protocol));
  plan.source_port = DrawPort(random, words);
  plan.destination_port = DrawPort(random, words);
  plan.option_words = Below(random, 4) == 0 ? Below(random, 11) : 0;
  if (Below(random, 4) == 0) plan.option_words = Below(random, 3);
  plan.fragment_offset =
      static_cast<std::uint16_t>(Below(random, 6) == 0 ? Below(random, 0x2000) : 0);
  plan.more_fragments = Below(random, 6) == 0;
  if (plan.version == 6) plan.extensions = RandomExtensions(random);
  plan.time_to_live = static_cast<std::uint8_t>(random());
  plan.payload_seed = random();
  plan.filler = words.numbers;
  plan.payload_bytes = 4 + 2 * Below(random, Below(random, 4) == 0 ? 200 : 30);
  return plan;
}

PacketPlan Mutated(PacketPlan plan, Random& random, const Vocabulary& words) {
  PacketPlan other = RandomPacketPlan(random, words);
  switch (Below(random, 10)) {
    case 0:
      plan.source = DrawAddress(random, words, plan.version);
      break;
    case 1:
      plan.destination = DrawAddress(random, words, plan.version);
      break;
    case 2:
      if (plan.version == 4 || !IsExtension(other.protocol)) plan.protocol = other.protocol;
      break;
    case 3:
      plan.source_port =
          Below(random, 2) == 0 ? other.source_port : static_cast<std::uint16_t>(random());
      break;
    case 4:
      plan.destination_port =
          Below(random, 2) == 0 ? other.destination_port : static_cast<std::uint16_t>(random());
      break;
    case 5:
      plan.option_words = other.option_words;
      break;
    case 6:
      plan.fragment_offset = other.fragment_offset;
      plan.more_fragments = other.more_fragments;
      break;
    case 7:
      plan.payload_seed = other.payload_seed;
      plan.payload_bytes = other.payload_bytes;
      plan.time_to_live = other.time_to_live;
      break;
    case 8:
      if (plan.version == 6) plan.extensions = RandomExtensions(random);
      break;
    default:
      return other;
  }
  return plan;
}

bool Holds(const filter::Box& box, const BuiltPacket& packet) {
  return Agrees(box.source_address, std::optional(packet.source)) &&
         Agrees(box.destination_address, std::optional(packet.destination)) &&
         Agrees(box.source_port, packet.source_port) &&
         Agrees(box.destination_port, packet.destination_port) &&
         Agrees(box.protocol, packet.protocol);
}

filter::Box TightestBox(const BuiltPacket& packet, bool pin_ipv6) {
  filter::Box box{.source_address = packet.source,
                  .destination_address = packet.destination,
                  .source_port = packet.source_port,
                  .destination_port = packet.destination_port,
                  .protocol = packet.protocol};
  if (packet.source.version == 6 && !pin_ipv6) {
    box.source_address.reset();
    box.destination_address.reset();
  }
  return box;
}

}  // namespace cloudflaredump
