// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/random_filter.h"

#include <iterator>

namespace cloudflaredump {
namespace {

template <class List>
std::string OneOf(Random& random, const List& list) {
  return list[Below(random, static_cast<std::uint32_t>(std::size(list)))];
}

std::string Number(std::uint32_t number) {
  return std::to_string(number);
}

std::string Direction(Random& random) {
  constexpr const char* kDirections[] = {"", "src ", "dst ", "dst ", "src or dst ", "src and dst "};
  return OneOf(random, kDirections);
}

std::string Endpoint(Random& random) {
  const int version = Below(random, 4) == 0 ? 6 : 4;
  const filter::IpAddress address = RandomAddress(random, version);
  if (Below(random, 3) != 0) return Direction(random) + "host " + address.ToString();
  filter::IpAddress net = address;
  const std::uint32_t bits = version == 4 ? Below(random, 33) : 8 * Below(random, 17);
  for (std::uint32_t i = 0; i < 16; ++i) {
    const std::uint32_t kept = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;
    net.bytes[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
  return Direction(random) + "net " + net.ToString() + "/" + Number(bits);
}

std::string PortTest(Random& random) {
  constexpr const char* kProtocols[] = {"", "", "tcp ", "udp ", "sctp "};
  const std::string start = OneOf(random, kProtocols) + Direction(random);
  if (Below(random, 4) != 0) return start + "port " + Number(RandomPort(random));
  const std::uint16_t low = RandomPort(random);
  const std::uint32_t high = Below(random, 2) == 0 ? low + Below(random, 4) : RandomPort(random);
  return start + "portrange " + Number(low) + "-" + Number(high > 65535 ? 65535 : high);
}

std::string ProtocolTest(Random& random) {
  constexpr const char* kNames[] = {"tcp", "udp",  "sctp", "icmp", "icmp6", "ip",
                                    "ip6", "igmp", "ah",   "esp",  "vrrp",  "pim"};
  constexpr const char* kNumbered[] = {"ip proto ", "ip6 proto ", "proto "};
  if (Below(random, 2) == 0) return OneOf(random, kNames);
  return OneOf(random, kNumbered) + Number(RandomProtocol(random));
}

/// A load of bytes that matter, or of any.
std::string Load(Random& random) {
  constexpr const char* kLoads[] = {"ip[0]",
                                    "ip[0] & 0xf",
                                    "ip[6:2]",
                                    "ip[6:2] & 0x1fff",
                                    "ip[8]",
                                    "ip[9]",
                                    "ip[12:4]",
                                    "ip[12:2]",
                                    "ip[16:4]",
                                    "ip[19]",
                                    "ip[20:2]",
                                    "ip[22:2]",
                                    "ip[20:4]",
                                    "ip[24:2]",
                                    "ip[10:4]",
                                    "ip[16] & 0xf0",
                                    "ip[14:4]",
                                    "ip6[6]",
                                    "ip6[40]",
                                    "ip6[40:2]",
                                    "ip6[42:2]",
                                    "ip6[8:4]",
                                    "ip6[24:4]",
                                    "ip6[20:4]",
                                    "ip6[5:2]",
                                    "tcp[0:2]",
                                    "tcp[2:2]",
                                    "tcp[13]",
                                    "tcp[tcpflags] & tcp-syn",
                                    "tcp[0:4]",
                                    "udp[0:2]",
                                    "udp[2:2]",
                                    "udp[1]",
                                    "udp[4:2]",
                                    "sctp[2:2]",
                                    "icmp[0:2]",
                                    "icmp[2:2]",
                                    "icmp6[0]",
                                    "link[0]",
                                    "link[9]",
                                    "link[6]",
                                    "link[20:2]",
                                    "link[40:2]",
                                    "link[0] & 0xf0",
                                    "ip[(ip[0] & 0xf) * 4 : 2]",
                                    "ip[(ip[0] & 0xf) * 4 + 2 : 2]",
                                    "tcp[(tcp[12] >> 4) * 4]",
                                    "ip[ip[0] & 0xf]"};
  return OneOf(random, kLoads);
}

std::string Operand(Random& random) {
  constexpr const char* kOperators[] = {" & ", " | ", " ^ ", " + ",  " - ",
                                        " * ", " / ", " % ", " << ", " >> "};
  std::string load = Load(random);
  switch (Below(random, 5)) {
    case 0:
      return "(" + load + ")" + OneOf(random, kOperators) + Number(1 + Below(random, 16));
    case 1:
      return "(" + load + ") & " + Number(static_cast<std::uint32_t>(random()));
    default:
      return load;
  }
}

/// A number that a packet may well have at some of these places.
std::string Constant(Random& random) {
  const auto& address = RandomAddress(random, 4).bytes;
  const std::uint32_t word = static_cast<std::uint32_t>(address[0]) << 24 |
                             static_cast<std::uint32_t>(address[1]) << 16 |
                             static_cast<std::uint32_t>(address[2]) << 8 | address[3];
  switch (Below(random, 7)) {
    case 0:
      return Number(word);
    case 1:
      return Number(word >> 16);
    case 2:
      return Number(Below(random, 8));
    case 3:
      return Number(0x45 + Below(random, 3));
    case 4:
      return Number(RandomProtocol(random));
    default:
      return Number(RandomPort(random));
  }
}

std::string ByteTest(Random& random) {
  constexpr const char* kRelations[] = {" = ", " = ", " = ", " != ", " < ", " > ", " <= ", " >= "};
  const std::string left = Operand(random);
  const std::string right = Below(random, 12) == 0 ? Operand(random) : Constant(random);
  return left + OneOf(random, kRelations) + right;
}

/// A test of bytes at a fixed place that are a port only if all of the rest holds. Often some of it
/// is missing, and sometimes the place is another one.
std::string FixedPortTest(Random& random) {
  constexpr const char* kProtocols[] = {"6", "17", "132", "1"};
  const std::uint32_t words = 5 + Below(random, 3);
  const std::uint32_t place_words = Below(random, 3) == 0 ? 5 + Below(random, 3) : words;
  const std::uint32_t place = 4 * place_words + 2 * Below(random, 2);
  std::string text = "(ip[" + Number(place) + ":2] = " + Number(RandomPort(random));
  if (Below(random, 5) != 0) text += " and ip[0] & 0xf = " + Number(words);
  if (Below(random, 5) != 0) text += " and ip[6:2] & 0x1fff = 0";
  if (Below(random, 5) != 0) text += " and ip[9] = " + OneOf(random, kProtocols);
  return text + ")";
}

std::string Primitive(Random& random) {
  constexpr const char* kOthers[] = {"greater 60",    "less 100", "ip broadcast",    "ip multicast",
                                     "ip6 multicast", "len > 80", "ip protochain 17"};
  // What proves that fixed offsets are ports.
  constexpr const char* kProofs[] = {"ip[0] = 0x45", "ip[6:2] & 0x1fff = 0", "ip[0] & 0xf = 6",
                                     "ip[9] = 17"};
  switch (Below(random, 18)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return Endpoint(random);
    case 4:
    case 5:
    case 6:
    case 7:
      return PortTest(random);
    case 8:
    case 9:
    case 10:
      return ProtocolTest(random);
    case 11:
      return OneOf(random, kProofs);
    case 12:
    case 13:
    case 14:
      return FixedPortTest(random);
    case 15:
      return Below(random, 4) == 0 ? OneOf(random, kOthers) : ByteTest(random);
    default:
      return ByteTest(random);
  }
}

std::string Expression(Random& random, unsigned depth) {
  if (depth == 0 || Below(random, 4) == 0) {
    const std::string primitive = Primitive(random);
    return Below(random, 6) == 0 ? "not (" + primitive + ")" : primitive;
  }
  const char* const joint = Below(random, 5) < 3 ? " and " : " or ";
  std::string text = Expression(random, depth - 1);
  for (unsigned i = 1 + Below(random, 3); i > 0; --i) text += joint + Expression(random, depth - 1);
  return (Below(random, 10) == 0 ? "not (" : "(") + text + ")";
}

}  // namespace

std::string RandomFilter(Random& random) {
  return Expression(random, Below(random, 4));
}

}  // namespace cloudflaredump
