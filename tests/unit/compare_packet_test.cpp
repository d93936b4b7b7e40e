// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <vector>

#include "extcap/compare/identity.h"
#include "extcap/compare/options.h"
#include "extcap/compare/router_filter.h"
#include "tests/property/compare_traffic.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::compare {
namespace {

using compare_traffic::Octets;
using compare_traffic::Random;

Bytes View(const Octets& octets) {
  return std::as_bytes(std::span(octets));
}

/// What looking through `frames`, records of Ethernet, comes to at the last one; they outlive what
/// is found in them.
Look Through(const std::vector<Octets>& frames, InnerPacket& packet, PacketLooker& looker,
             std::size_t snap = 65535) {
  Look look = Look::kNotIp;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Bytes bytes = View(frames[i]);
    look = looker.Take({.link_type = 1,
                        .original_length = static_cast<std::uint32_t>(bytes.size()),
                        .time = static_cast<std::int64_t>(i),
                        .record = i,
                        .bytes = bytes.first(std::min(snap, bytes.size()))},
                       packet);
  }
  return look;
}
Look Through(std::vector<Octets>&&, InnerPacket&, PacketLooker&, std::size_t = 0) = delete;

Octets SomePacket(std::size_t data = 400) {
  Random random(1);
  return compare_traffic::Ipv4(
      17, compare_traffic::Udp(1000, 53, compare_traffic::RandomOctets(data, random)), 0xc6330001,
      0xcb007107, 77, false);
}

Identity IdentityOf(const Octets& ip) {
  PacketLooker looker;
  InnerPacket packet;
  const std::vector<Octets> frames = {compare_traffic::Ethernet(ip)};
  assert_true(Through(frames, packet, looker) == Look::kPacket);
  const auto identity = Identify(packet);
  assert_true(identity.has_value());
  return *identity;
}

void TunnelsAndTagsAreLookedThrough(void**) {
  Random random(2);
  const Octets ip = SomePacket();
  const std::uint64_t plain = IdentityOf(ip).headers;
  using compare_traffic::Tunnel;
  for (const Tunnel& tunnel :
       {Tunnel{}, Tunnel{.key = true}, Tunnel{.key = true, .sequence = true, .checksum = true},
        Tunnel{.gre = false}, Tunnel{.mtu = 200}}) {
    for (const int tags : {0, 1, 2}) {
      std::vector<Octets> frames;
      for (const Octets& outer : compare_traffic::Encapsulate(ip, tunnel, random)) {
        frames.push_back(compare_traffic::Ethernet(outer, tags));
      }
      PacketLooker looker;
      InnerPacket packet;
      assert_true(Through(frames, packet, looker) == Look::kPacket);
      assert_true(Identify(packet)->headers == plain);
      assert_int_equal(packet.size, ip.size());
      assert_true(packet.outer.kinds != 0);
      assert_true(packet.fragments == (tunnel.mtu == 200));
    }
  }
}

void WhatRoutersChangeIsLeftOut(void**) {
  const Octets ip = SomePacket();
  assert_true(IdentityOf(compare_traffic::Forward(ip, true)).headers == IdentityOf(ip).headers);
}

void WhatDiffersIsTold(void**) {
  const Octets ip = SomePacket();
  // Identification, protocol's ports, addresses, length.
  for (const std::size_t at : {5, 15, 19, 21, 23}) {
    Octets other = ip;
    other[at] ^= 1;
    assert_true(IdentityOf(other).headers != IdentityOf(ip).headers);
  }
  assert_true(IdentityOf(SomePacket(401)).headers != IdentityOf(ip).headers);
}

void FragmentsComeInAnyOrder(void**) {
  const Octets ip = SomePacket(3000);
  std::vector<Octets> frames;
  for (const Octets& fragment : compare_traffic::Fragment(ip, 1000)) {
    frames.push_back(compare_traffic::Ethernet(fragment));
  }
  const std::uint64_t whole = IdentityOf(ip).headers;
  std::ranges::reverse(frames);
  frames.insert(frames.begin(), frames[0]);  // and one twice
  PacketLooker looker;
  InnerPacket packet;
  assert_true(Through(frames, packet, looker) == Look::kPacket);
  assert_true(Identify(packet)->headers == whole);
  assert_int_equal(packet.held.size(), 3008);
}

void CopiesOfFragmentsAddNothing(void**) {
  const auto fragments = compare_traffic::Fragment(SomePacket(1500), 1000);
  assert_int_equal(fragments.size(), 2);
  const Octets first = compare_traffic::Ethernet(fragments[0]);
  const Octets last = compare_traffic::Ethernet(fragments[1]);
  PacketLooker looker;
  InnerPacket packet;
  // As a mirror port gives them, twice or more times each.
  const std::vector<Octets> whole = {first, first, first, last};
  assert_true(Through(whole, packet, looker) == Look::kPacket);
  const std::vector<Octets> copies = {last, last};
  assert_true(Through(copies, packet, looker) == Look::kFragment);
  std::size_t left = 0;
  looker.ForEachLeftFragment([&](const InnerPacket&) { ++left; });
  assert_int_equal(left, 0);
  // The next datagram may have the same identification.
  const std::vector<Octets> next = {first, last};
  assert_true(Through(next, packet, looker) == Look::kPacket);
}

void AFragmentWithoutTheOthersIsAPiece(void**) {
  const auto fragments = compare_traffic::Fragment(SomePacket(3000), 1000);
  const std::vector<Octets> frames = {compare_traffic::Ethernet(fragments[1])};
  PacketLooker looker;
  InnerPacket packet;
  assert_true(Through(frames, packet, looker) == Look::kFragment);
  int pieces = 0;
  looker.ForEachLeftFragment([&](const InnerPacket& piece) {
    ++pieces;
    assert_true(piece.piece);
    assert_false(piece.do_not_fragment);  // though more follow
    assert_int_equal(piece.offset, 976);
    assert_int_equal(piece.length, 976);
  });
  assert_int_equal(pieces, 1);
}

void CutRecordsGiveWhatTheyHold(void**) {
  Random random(3);
  const std::vector<Octets> frames = {
      compare_traffic::Ethernet(compare_traffic::Encapsulate(SomePacket(), {}, random)[0])};
  PacketLooker looker;
  InnerPacket packet;
  assert_true(Through(frames, packet, looker, 96) == Look::kPacket);
  const auto identity = Identify(packet);
  assert_int_equal(identity->payload_length, 400);
  assert_int_equal(identity->payload.size(), 96 - 14 - 24 - 28);
  assert_true(Through(frames, packet, looker, 50) == Look::kTooShort);
}

void PrefixesAndTranslations(void**) {
  const auto prefix = ParsePrefix("203.0.113.77/24");
  assert_true(prefix.has_value());
  AssertText(prefix->ToString(), "203.0.113.0/24");
  assert_true(filter::Contains(*prefix, ParsePrefix("203.0.113.200")->address));
  assert_false(filter::Contains(*prefix, ParsePrefix("203.0.114.1")->address));
  AssertText(ParsePrefix("2001:db8::1/33")->ToString(), "2001:db8::/33");
  for (const char* wrong : {"", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "2001:db8::/129", "a.b"}) {
    assert_false(ParsePrefix(wrong).has_value());
  }
  const auto map = ParseTranslation("203.0.113.0/25=10.1.2.128/25");
  assert_true(map.has_value());
  AssertText(map->ToOutside(ParsePrefix("10.1.2.200")->address).ToString(), "203.0.113.72");
  AssertText(map->ToOutside(ParsePrefix("10.1.2.7")->address).ToString(), "10.1.2.7");
  for (const char* wrong : {"203.0.113.7", "1.2.3.4=::1", "1.2.3.0/24=10.0.0.0/25", "=1.2.3.4"}) {
    assert_false(ParseTranslation(wrong).has_value());
  }
}

void RouterFiltersSayWhereInnerHeadersAre(void**) {
  filter::Box box;
  box.destination_address = ParsePrefix("203.0.113.7")->address;
  const auto filters = RouterFilters(box);
  assert_int_equal(filters.size(), 4);
  AssertText(filters[1].filter, "ip proto 47 and ip[40:4] = 0xcb007107");
  AssertText(filters[2].filter, "ip proto 47 and ip[44:4] = 0xcb007107");
}

}  // namespace
}  // namespace cloudflaredump::compare

int main() {
  using namespace cloudflaredump::compare;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TunnelsAndTagsAreLookedThrough),
      cmocka_unit_test(WhatRoutersChangeIsLeftOut),
      cmocka_unit_test(WhatDiffersIsTold),
      cmocka_unit_test(FragmentsComeInAnyOrder),
      cmocka_unit_test(CopiesOfFragmentsAddNothing),
      cmocka_unit_test(AFragmentWithoutTheOthersIsAPiece),
      cmocka_unit_test(CutRecordsGiveWhatTheyHold),
      cmocka_unit_test(PrefixesAndTranslations),
      cmocka_unit_test(RouterFiltersSayWhereInnerHeadersAre),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
