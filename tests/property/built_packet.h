// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "extcap/filter/box.h"

namespace cloudflaredump {

using Random = std::mt19937_64;

/// A number below `bound`.
inline std::uint32_t Below(Random& random, std::uint32_t bound) {
  return static_cast<std::uint32_t>(random() % bound);
}

/// What a packet is to be: the builder puts it into bytes, and nobody reads it back from them.
struct PacketPlan {
  int version = 4;
  filter::IpAddress source;
  filter::IpAddress destination;
  /// IPv4's protocol, or the one behind all of IPv6's extension headers.
  std::uint8_t protocol = 6;
  std::uint16_t source_port = 0;       ///< Of the port protocols; else the first bytes of payload.
  std::uint16_t destination_port = 0;  ///< Likewise the next two.
  unsigned option_words = 0;           ///< IPv4: 0 to 10.
  std::uint16_t fragment_offset = 0;   ///< In 8 bytes; above 0 is a later fragment.
  bool more_fragments = false;
  std::vector<std::uint8_t> extensions;  ///< IPv6: next headers before `protocol`, in order.
  std::uint8_t time_to_live = 64;
  std::uint64_t payload_seed = 0;
  std::uint32_t payload_bytes = 40;
  /// Numbers that stand, among others, in options, extension headers and payload.
  std::vector<std::uint16_t> filler;
};

/// A packet from its IP header on, and the fields that it was built with.
struct BuiltPacket {
  std::vector<std::byte> bytes;
  filter::IpAddress source;
  filter::IpAddress destination;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::optional<std::uint8_t> protocol;  ///< None behind a later fragment of an extension header.
};

BuiltPacket Build(const PacketPlan& plan);

/// Values that a filter names, so that packets with them are made.
struct Vocabulary {
  std::vector<filter::IpAddress> addresses;
  std::vector<std::uint16_t> numbers;
};

/// Every address and every number that stands in `filter`.
Vocabulary WordsOf(const std::string& filter);

/// Plans whose values are drawn from RandomAddress() and the like, and from `words`.
PacketPlan RandomPacketPlan(Random& random, const Vocabulary& words);

/// `plan` with one thing about it drawn anew, or moved a little.
PacketPlan Mutated(PacketPlan plan, Random& random, const Vocabulary& words);

/// Mostly one of a few, sometimes any.
filter::IpAddress RandomAddress(Random& random, int version);
std::uint16_t RandomPort(Random& random);
std::uint8_t RandomProtocol(Random& random);

/// Whether a request for `box` returns the packet, by the meaning of the fields.
bool Holds(const filter::Box& box, const BuiltPacket& packet);

/// The smallest box that holds the packet. IPv6 addresses are left out unless `pin_ipv6`.
filter::Box TightestBox(const BuiltPacket& packet, bool pin_ipv6);

}  // namespace cloudflaredump
