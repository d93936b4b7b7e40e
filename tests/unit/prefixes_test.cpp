// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/prefixes.h"

#include <algorithm>
#include <random>

#include "extcap/filter/link_type.h"
#include "tests/unit/results.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

CaptureFilter Compiled(std::string_view text) {
  return ValueOf(CaptureFilter::Compile(text, NameLookup::kRefuse));
}

/// The boxes as filters in brackets; "=" in front where no other packets are in them.
std::string Boxes(std::string_view text) {
  const CaptureFilter filter = Compiled(text);
  std::string all;
  for (const PrefixBox& box : PrefixBoxes(filter)) {
    all += (AcceptsAllOf(filter, box) ? "=[" : "[") + PrefixBoxAsFilter(box) + "]";
  }
  return all;
}

void NetsArePrefixes(void**) {
  AssertText(Boxes("dst net 203.0.113.0/24"), "=[dst net 203.0.113.0/24]");
  AssertText(Boxes("src net 10.0.0.0/9"), "=[src net 10.0.0.0/9]");
  AssertText(Boxes("net 203.0.113.0/24"), "=[dst net 203.0.113.0/24]=[src net 203.0.113.0/24]");
  AssertText(Boxes("dst net 203.0.113.128/30"), "=[dst net 203.0.113.128/30]");
  AssertText(Boxes("dst net 2001:db8:113::/64"), "=[dst net 2001:db8:113::/64]");
  AssertText(Boxes("dst net 2001:db8::/33 and udp dst port 53"),
             "=[dst net 2001:db8::/33 and udp dst port 53]");
  AssertText(Boxes("src net 192.0.2.0/24 and dst net 203.0.113.0/25 and tcp"),
             "=[src net 192.0.2.0/24 and dst net 203.0.113.0/25 and tcp]");
}

void HostsArePinnedOfBothFamilies(void**) {
  AssertText(Boxes("host 203.0.113.7"), "=[dst host 203.0.113.7]=[src host 203.0.113.7]");
  AssertText(Boxes("dst host 2001:db8::7"), "=[dst host 2001:db8::7]");
  AssertText(Boxes("dst host 203.0.113.7 or dst host 203.0.113.8"),
             "=[dst host 203.0.113.7]=[dst host 203.0.113.8]");
  // A host inside a net that is asked for as well says nothing new.
  AssertText(Boxes("dst net 203.0.113.0/24 or dst host 203.0.113.9"), "=[dst net 203.0.113.0/24]");
  AssertText(Boxes("dst net 203.0.112.0/23 or dst net 203.0.113.0/24"),
             "=[dst net 203.0.112.0/23]");
}

void PortsAndProtocolsAreAsInAPlan(void**) {
  AssertText(Boxes("port 53"), "=[dst port 53]=[src port 53]");
  AssertText(Boxes("tcp dst port 443"), "=[tcp dst port 443]");
  AssertText(Boxes("udp dst portrange 53-54"), "=[udp dst port 53]=[udp dst port 54]");
  AssertText(Boxes("proto 47"), "=[proto 47]");
}

void WhatCannotBeSaidIsNotExact(void**) {
  AssertText(Boxes("dst net 203.0.113.0/24 and not dst port 22"), "[dst net 203.0.113.0/24]");
  AssertText(Boxes("udp dst portrange 1000-2000"), "[udp]");
  AssertText(Boxes("tcp[tcpflags] & tcp-syn != 0"), "[tcp]");
  AssertText(Boxes("ip"), "[]");
  AssertText(Boxes("greater 100"), "[]");
  AssertText(Boxes("ether host 02:00:00:00:00:01"), "[]");
  AssertText(Boxes("ip6 protochain 6"), "[]");
  // Seven bits are next to nothing.
  AssertText(Boxes("dst net 202.0.0.0/7"), "[]");
  AssertText(Boxes(""), "=[]");
}

void ManyBoxesBecomeFew(void**) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += (i > 0 ? " or " : "") + std::string("dst host 192.0.2.") + std::to_string(i);
  }
  const CaptureFilter filter = Compiled(text);
  const std::vector<PrefixBox> boxes = PrefixBoxes(filter);
  assert_in_range(boxes.size(), 1, 32);
}

void APrefixKeepsOnlyItsBits(void**) {
  const IpAddress address = Ipv4Address(0xcb0071ff);
  AssertText(PrefixOf(address, 32).ToString(), "203.0.113.255/32");
  AssertText(PrefixOf(address, 25).ToString(), "203.0.113.128/25");
  AssertText(PrefixOf(address, 7).ToString(), "202.0.0.0/7");
  AssertText(PrefixOf(address, 0).ToString(), "0.0.0.0/0");
  assert_true(Contains(PrefixOf(address, 24), Ipv4Address(0xcb007101)));
  assert_false(Contains(PrefixOf(address, 24), Ipv4Address(0xcb007201)));
  assert_true(Contains(PrefixOf(address, 24), PrefixOf(address, 25)));
  assert_false(Contains(PrefixOf(address, 25), PrefixOf(address, 24)));
  assert_false(Contains(PrefixOf({.version = 6}, 0), address));
}

/// An IPv4 packet of few values, so that filters about these values meet it now and then.
std::vector<std::byte> RandomPacket(std::mt19937& random) {
  const auto below = [&](unsigned limit) { return static_cast<std::uint8_t>(random() % limit); };
  const std::uint8_t protocols[] = {1, 6, 17, 47};
  std::vector<std::uint8_t> packet(40);
  packet[0] = 0x45;
  packet[3] = 40;
  packet[8] = 64;
  packet[9] = protocols[below(4)];
  for (const std::size_t side : {12U, 16U}) {
    packet[side] = 10;
    packet[side + 2] = below(3);
    packet[side + 3] = below(5);
  }
  packet[21] = static_cast<std::uint8_t>(52 + below(4));
  packet[23] = static_cast<std::uint8_t>(52 + below(4));
  std::vector<std::byte> bytes;
  for (const std::uint8_t byte : packet) bytes.push_back(std::byte{byte});
  return bytes;
}

std::string RandomTerm(std::mt19937& random) {
  const char* const sides[] = {"src ", "dst ", ""};
  const std::string side = sides[random() % 3];
  const std::string host = "10.0." + std::to_string(random() % 3) + ".";
  switch (random() % 6) {
    case 0:
      return side + "net " + host + "0/24";
    case 1:
      return side + "host " + host + std::to_string(random() % 5);
    case 2:
      return side + "port " + std::to_string(52 + random() % 4);
    case 3:
      return "udp";
    case 4:
      return side + "net " + host + "0/30";
    default:
      return "not " + side + "port 53";
  }
}

/// The law: what a filter accepts is in its boxes, and all that is in a box which is said to hold
/// nothing else is accepted.
void BoxesHoldWhatTheFilterAccepts(void**) {
  std::mt19937 random(7);
  for (int turn = 0; turn < 60; ++turn) {
    std::string text = RandomTerm(random);
    for (unsigned more = random() % 3; more > 0; --more) {
      text += (random() % 2 == 0 ? " and " : " or ") + RandomTerm(random);
    }
    const auto compiled = CaptureFilter::Compile(text, NameLookup::kRefuse);
    if (!compiled) continue;  // no packet can match
    const Residual filter = ValueOf(Residual::Make(*compiled, kLinkTypeRaw));
    std::vector<CaptureFilter> boxes;
    std::vector<bool> exact;
    for (const PrefixBox& box : PrefixBoxes(*compiled)) {
      boxes.push_back(Compiled(PrefixBoxAsFilter(box)));
      exact.push_back(AcceptsAllOf(*compiled, box));
    }
    for (int i = 0; i < 300; ++i) {
      const std::vector<std::byte> packet = RandomPacket(random);
      const auto accepts = [&](const CaptureFilter& one) {
        return ValueOf(Residual::Make(one, kLinkTypeRaw)).Test(packet, 40) ==
               FilterAnswer::kMatches;
      };
      const bool matches = filter.Test(packet, 40) == FilterAnswer::kMatches;
      bool held = false;
      for (std::size_t k = 0; k < boxes.size(); ++k) {
        if (!accepts(boxes[k])) continue;
        held = true;
        if (exact[k] && !matches) fail_msg("%s is not exact", text.c_str());
      }
      if (matches && !held) fail_msg("%s has a packet outside its boxes", text.c_str());
    }
  }
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NetsArePrefixes),
      cmocka_unit_test(HostsArePinnedOfBothFamilies),
      cmocka_unit_test(PortsAndProtocolsAreAsInAPlan),
      cmocka_unit_test(WhatCannotBeSaidIsNotExact),
      cmocka_unit_test(ManyBoxesBecomeFew),
      cmocka_unit_test(APrefixKeepsOnlyItsBits),
      cmocka_unit_test(BoxesHoldWhatTheFilterAccepts),
  };
  return cmocka_run_group_tests_name("prefixes", tests, nullptr, nullptr);
}
