// SPDX-License-Identifier: GPL-2.0-or-later
#include <pcap/pcap.h>

#include <random>
#include <vector>

#include "extcap/filter/capture_filter.h"
#include "extcap/filter/cut_packet.h"
#include "extcap/filter/link_type.h"
#include "tests/unit/libpcap_says.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

using Bytes = std::vector<std::byte>;

CaptureFilter Compiled(std::string_view text, NameLookup lookup = NameLookup::kRefuse) {
  auto filter = CaptureFilter::Compile(text, lookup);
  if (!filter) fail_msg("%s: %s", std::string(text).c_str(), ClauseOf(filter.error()).c_str());
  return std::move(*filter);
}

void Put16(Bytes& bytes, std::size_t at, unsigned number) {
  bytes[at] = static_cast<std::byte>(number >> 8);
  bytes[at + 1] = static_cast<std::byte>(number);
}

/// TCP from 192.0.2.1:1000 to 192.0.2.2:443, 20 bytes of payload that count up from 0.
Bytes TcpPacket() {
  Bytes packet(60);
  packet[0] = std::byte{0x45};
  Put16(packet, 2, 60);
  packet[8] = std::byte{64};
  packet[9] = std::byte{6};
  Put16(packet, 12, 0xc000);
  Put16(packet, 14, 0x0201);
  Put16(packet, 16, 0xc000);
  Put16(packet, 18, 0x0202);
  Put16(packet, 20, 1000);
  Put16(packet, 22, 443);
  packet[32] = std::byte{0x50};
  packet[33] = std::byte{0x02};
  for (std::size_t i = 0; i < 20; ++i) packet[40 + i] = static_cast<std::byte>(i);
  return packet;
}

Bytes Behind(const Bytes& header, const Bytes& packet) {
  Bytes all = header;
  all.insert(all.end(), packet.begin(), packet.end());
  return all;
}

Bytes EthernetHeader(std::initializer_list<int> from_type_on) {
  Bytes header(12);
  for (const int number : from_type_on) header.push_back(static_cast<std::byte>(number));
  return header;
}

FilterAnswer AnswerOf(std::string_view text, std::uint32_t link_type, const Bytes& packet,
                      std::size_t captured) {
  const CaptureFilter filter = Compiled(text);
  const auto residual = Residual::Make(filter, link_type);
  assert_true(residual.has_value());
  return residual->Test(std::span(packet).first(captured),
                        static_cast<std::uint32_t>(packet.size()));
}

FilterAnswer AnswerOf(std::string_view text, std::uint32_t link_type, const Bytes& packet) {
  return AnswerOf(text, link_type, packet, packet.size());
}

void AssertAnswer(FilterAnswer got, FilterAnswer want) {
  assert_int_equal(got, want);
}

constexpr auto kMatches = FilterAnswer::kMatches;
constexpr auto kRejects = FilterAnswer::kRejects;
constexpr auto kUndecided = FilterAnswer::kUndecided;

void TheFilterIsTestedFromTheIpHeaderOn(void**) {
  const Bytes packet = TcpPacket();
  Bytes sll(16);
  Put16(sll, 14, 0x0800);
  Bytes sll2(20);
  Put16(sll2, 0, 0x0800);
  const std::pair<std::uint32_t, Bytes> cases[] = {
      {kLinkTypeRaw, packet},
      {kLinkTypeEthernet, Behind(EthernetHeader({0x08, 0x00}), packet)},
      {kLinkTypeEthernet, Behind(EthernetHeader({0x81, 0x00, 0, 5, 0x08, 0x00}), packet)},
      {kLinkTypeLinuxSll, Behind(sll, packet)},
      {kLinkTypeLinuxSll2, Behind(sll2, packet)},
      {kLinkTypeNflog,
       Behind({std::byte{2}, {}, {}, {}, std::byte{64}, {}, std::byte{9}, {}}, packet)},
  };
  for (const auto& [link_type, whole] : cases) {
    AssertAnswer(AnswerOf("tcp dst port 443", link_type, whole), kMatches);
    AssertAnswer(AnswerOf("src host 192.0.2.1", link_type, whole), kMatches);
    AssertAnswer(AnswerOf("udp or tcp port 80", link_type, whole), kRejects);
    AssertAnswer(AnswerOf("len = 60", link_type, whole), kMatches);
    AssertAnswer(AnswerOf("", link_type, whole), kMatches);
  }
}

void OnlyIpPacketsMatchAnIpFilter(void**) {
  const Bytes arp = EthernetHeader({0x08, 0x06, 0, 1, 8, 0});
  AssertAnswer(AnswerOf("not tcp", kLinkTypeEthernet, arp), kRejects);
  AssertAnswer(AnswerOf("", kLinkTypeEthernet, arp), kMatches);
}

void LinkLayerFiltersUseTheArrivingLinkType(void**) {
  const Bytes tagged = Behind(EthernetHeader({0x81, 0x00, 0, 5, 0x08, 0x00}), TcpPacket());
  AssertAnswer(AnswerOf("vlan 5", kLinkTypeEthernet, tagged), kMatches);
  AssertAnswer(AnswerOf("vlan 6", kLinkTypeEthernet, tagged), kRejects);
}

void AssertUntested(std::string_view text, std::uint32_t link_type, std::string_view why) {
  const CaptureFilter filter = Compiled(text);
  const auto residual = Residual::Make(filter, link_type);
  assert_true(residual.has_value());
  assert_true(residual->untested().has_value());
  AssertContains(ClauseOf(*residual->untested()), Format("link type %u", link_type));
  AssertContains(ClauseOf(*residual->untested()), why);
  const Bytes packet = TcpPacket();
  AssertAnswer(residual->Test(packet, 60), kUndecided);
  AssertAnswer(residual->Test(std::span(packet).first(10), 60), kUndecided);
  AssertAnswer(residual->Test({}, 0), kUndecided);
}

/// Neither matched nor rejected: their packets say nothing of what the filter is about.
void PacketsWithoutTheLayerThatTheFilterIsAboutAreNotTested(void**) {
  for (const char* text : {"vlan 5", "host 192.0.2.1 or (vlan and host 192.0.2.1)"}) {
    AssertUntested(text, kLinkTypeRaw, LibpcapSays(text));
    AssertUntested(text, kLinkTypeLinuxSll, LibpcapSays(text, DLT_LINUX_SLL));
  }
  AssertUntested("ether src 1:2:3:4:5:6", kLinkTypeIpv4,
                 LibpcapSays("ether src 1:2:3:4:5:6", DLT_IPV4));
}

/// One byte too many in a file's header is enough for that.
void ALinkTypeThatCannotBeFilteredEndsNothing(void**) {
  AssertUntested("host 192.0.2.1", 25856, "");
  AssertUntested("tcp", 147, LibpcapSays("tcp", 147));
  AssertUntested("vlan 5", 147, LibpcapSays("vlan 5", 147));
  const CaptureFilter all = Compiled("");
  assert_false(Residual::Make(all, 25856)->untested().has_value());
}

void AStopEndsTheCompilationForALinkType(void**) {
  std::string text = "vlan and (port 1000";
  for (int i = 1; i < 40; ++i) text += " or port " + std::to_string(1000 + 7 * i);
  const CaptureFilter filter = Compiled(text + ")");
  const auto stopped = Residual::Make(filter, kLinkTypeRaw, [] { return true; });
  assert_true(stopped.has_value() || stopped.error().kind == Error::Kind::kInterrupted);
}

void UnknownLinkTypesAreLeftToLibpcap(void**) {
  // BSD loopback (NULL): four bytes of address family in either byte order.
  const Bytes packet = Behind({std::byte{2}, {}, {}, {}}, TcpPacket());
  AssertAnswer(AnswerOf("tcp dst port 443", 0, packet), kMatches);
  AssertAnswer(AnswerOf("udp", 0, packet), kRejects);
}

void AFilterWithUnknownNamesTestsNothing(void**) {
  const CaptureFilter filter = Compiled("host www.example.com", NameLookup::kAccept);
  const auto residual = Residual::Make(filter, kLinkTypeRaw);
  assert_true(residual->untested().has_value());
  AssertAnswer(residual->Test(TcpPacket(), 60), kUndecided);
}

void MissingBytesThatAreNeededLeaveItUndecided(void**) {
  const Bytes packet = TcpPacket();
  AssertAnswer(AnswerOf("tcp[30] = 10", kLinkTypeRaw, packet, 50), kUndecided);
  AssertAnswer(AnswerOf("tcp[30] = 10", kLinkTypeRaw, packet, 51), kMatches);
  AssertAnswer(AnswerOf("tcp[30] = 11", kLinkTypeRaw, packet, 51), kRejects);
  AssertAnswer(AnswerOf("tcp dst port 443", kLinkTypeRaw, packet, 22), kUndecided);
  AssertAnswer(AnswerOf("tcp", kLinkTypeRaw, packet, 0), kUndecided);
}

void MissingBytesThatChangeNothingDecideNothing(void**) {
  const Bytes packet = TcpPacket();
  // Rejected before the missing byte is read.
  AssertAnswer(AnswerOf("udp and udp[30] = 10", kLinkTypeRaw, packet, 40), kRejects);
  AssertAnswer(AnswerOf("tcp port 443 or tcp[30] = 10", kLinkTypeRaw, packet, 40), kMatches);
  // Both answers of the missing byte lead to the same end.
  AssertAnswer(AnswerOf("tcp[30] = 10 and tcp dst port 80", kLinkTypeRaw, packet, 40), kRejects);
  AssertAnswer(AnswerOf("tcp[30] & 1 < 2", kLinkTypeRaw, packet, 40), kMatches);
  // The part of a word that was captured settles it.
  AssertAnswer(AnswerOf("tcp[20:4] = 0x05000000", kLinkTypeRaw, packet, 42), kRejects);
  AssertAnswer(AnswerOf("tcp[20:4] < 0x00010001", kLinkTypeRaw, packet, 42), kUndecided);
  AssertAnswer(AnswerOf("tcp[20:4] < 0x00020000", kLinkTypeRaw, packet, 42), kMatches);
  // The length on the wire is known.
  AssertAnswer(AnswerOf("greater 60", kLinkTypeRaw, packet, 40), kMatches);
}

void BeyondTheWireLengthThereIsNothingToMiss(void**) {
  AssertAnswer(AnswerOf("tcp[200] = 5", kLinkTypeRaw, TcpPacket(), 40), kRejects);
  AssertAnswer(AnswerOf("tcp[40] = 5", kLinkTypeRaw, TcpPacket(), 40), kRejects);
}

void APayloadBehindAMissingHeaderLengthIsUndecided(void**) {
  const char* const text = "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x00010203";
  AssertAnswer(AnswerOf(text, kLinkTypeRaw, TcpPacket()), kMatches);
  AssertAnswer(AnswerOf(text, kLinkTypeRaw, TcpPacket(), 44), kMatches);
  AssertAnswer(AnswerOf(text, kLinkTypeRaw, TcpPacket(), 43), kUndecided);
  AssertAnswer(AnswerOf(text, kLinkTypeRaw, TcpPacket(), 30), kUndecided);
}

void APacketCutInsideItsLinkHeaderIsUndecided(void**) {
  const Bytes packet = Behind(EthernetHeader({0x08, 0x00}), TcpPacket());
  AssertAnswer(AnswerOf("tcp", kLinkTypeEthernet, packet, 10), kUndecided);
  AssertAnswer(AnswerOf("tcp", kLinkTypeEthernet, packet, 14), kUndecided);
  AssertAnswer(AnswerOf("tcp", kLinkTypeEthernet, Bytes(10)), kRejects);
}

void LoopsEnd(void**) {
  Bytes packet(200);
  packet[0] = std::byte{0x60};
  packet[6] = std::byte{60};
  for (std::size_t at = 40; at < 192; at += 8) packet[at] = std::byte{60};
  AssertAnswer(AnswerOf("ip6 protochain 6", kLinkTypeRaw, packet), kRejects);
  AssertAnswer(AnswerOf("ip6 protochain 6", kLinkTypeRaw, packet, 80), kUndecided);
}

/// libpcap's interpreter never comes back from this packet: its authentication header leads to
/// itself, as libpcap computes the next one's place.
void AHeaderThatLeadsToItselfIsUndecided(void**) {
  Bytes packet(80);
  packet[0] = std::byte{0x60};
  packet[6] = std::byte{51};
  packet[40] = std::byte{51};
  packet[41] = std::byte{8};
  AssertAnswer(AnswerOf("ip6 protochain 6", kLinkTypeRaw, packet, 80), kUndecided);
  AssertAnswer(AnswerOf("protochain 17 or udp", kLinkTypeRaw, packet, 80), kUndecided);
  packet[40] = std::byte{6};
  AssertAnswer(AnswerOf("ip6 protochain 6", kLinkTypeRaw, packet, 80), kMatches);
}

/// What a completion of the missing bytes gives, by libpcap itself.
bool Accepts(const CaptureFilter& filter, const Bytes& packet) {
  const auto size = static_cast<bpf_u_int32>(packet.size());
  const pcap_pkthdr header = {.ts = {}, .caplen = size, .len = size};
  return pcap_offline_filter(filter.program(), &header,
                             reinterpret_cast<const u_char*>(packet.data())) != 0;
}

const char* const kVariedFilters[] = {
    "tcp",
    "port 443 or port 1000",
    "tcp[tcpflags] & tcp-syn != 0",
    "ip[6:2] & 0x1fff = 0 and ip[8] > 60",
    "(ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2) = 20",
    "tcp[20] * 2 + tcp[21] = 1",
    "tcp[30] / 2 = 5 or tcp[31] % 3 = 2",
    "tcp[22:2] ^ 0x0203 = 0 or tcp[24] | 1 = 5",
    "1000 / ip[1] = 10",
    "tcp[tcp[40] + 20] = 3",
    "ip6 protochain 6 or tcp[25] >= 5",
    "len - ip[2:2] = 0",
    "not (src net 192.0.2.0/30 or udp port 53)",
};

void WithAllBytesItAgreesWithLibpcap(void**) {
  std::mt19937 random(1);
  for (const char* text : kVariedFilters) {
    const CaptureFilter filter = Compiled(text);
    const std::vector<bpf_insn> program(filter.program()->bf_insns,
                                        filter.program()->bf_insns + filter.program()->bf_len);
    for (int round = 0; round < 2000; ++round) {
      Bytes packet = TcpPacket();
      for (unsigned i = random() % 4; i > 0; --i) {
        packet[random() % packet.size()] = static_cast<std::byte>(random());
      }
      packet.resize(packet.size() - random() % 30);
      const auto answer =
          RunOnCutPacket(program, packet, static_cast<std::uint32_t>(packet.size()));
      AssertAnswer(answer, Accepts(filter, packet) ? kMatches : kRejects);
    }
  }
}

void ADefiniteAnswerHoldsForEveryCompletion(void**) {
  std::mt19937 random(2);
  unsigned undecided = 0;
  unsigned definite = 0;
  for (const char* text : kVariedFilters) {
    const CaptureFilter filter = Compiled(text);
    const auto residual = Residual::Make(filter, kLinkTypeRaw);
    for (int round = 0; round < 500; ++round) {
      Bytes packet = TcpPacket();
      const std::size_t captured = random() % packet.size();
      const auto answer = residual->Test(std::span(packet).first(captured),
                                         static_cast<std::uint32_t>(packet.size()));
      (answer == kUndecided ? undecided : definite)++;
      if (answer == kUndecided) continue;
      for (int completion = 0; completion < 20; ++completion) {
        AssertAnswer(Accepts(filter, packet) ? kMatches : kRejects, answer);
        for (std::size_t i = captured; i < packet.size(); ++i) {
          if (random() % 2 == 0) packet[i] = static_cast<std::byte>(random());
        }
      }
    }
  }
  assert_true(undecided > 500);
  assert_true(definite > 500);
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFilterIsTestedFromTheIpHeaderOn),
      cmocka_unit_test(OnlyIpPacketsMatchAnIpFilter),
      cmocka_unit_test(LinkLayerFiltersUseTheArrivingLinkType),
      cmocka_unit_test(PacketsWithoutTheLayerThatTheFilterIsAboutAreNotTested),
      cmocka_unit_test(ALinkTypeThatCannotBeFilteredEndsNothing),
      cmocka_unit_test(AStopEndsTheCompilationForALinkType),
      cmocka_unit_test(UnknownLinkTypesAreLeftToLibpcap),
      cmocka_unit_test(AFilterWithUnknownNamesTestsNothing),
      cmocka_unit_test(MissingBytesThatAreNeededLeaveItUndecided),
      cmocka_unit_test(MissingBytesThatChangeNothingDecideNothing),
      cmocka_unit_test(BeyondTheWireLengthThereIsNothingToMiss),
      cmocka_unit_test(APayloadBehindAMissingHeaderLengthIsUndecided),
      cmocka_unit_test(APacketCutInsideItsLinkHeaderIsUndecided),
      cmocka_unit_test(LoopsEnd),
      cmocka_unit_test(AHeaderThatLeadsToItselfIsUndecided),
      cmocka_unit_test(WithAllBytesItAgreesWithLibpcap),
      cmocka_unit_test(ADefiniteAnswerHoldsForEveryCompletion),
  };
  return cmocka_run_group_tests_name("residual", tests, nullptr, nullptr);
}
