// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/plan.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

Plan PlanOf(std::string_view text, int max_requests, bool pin_ipv6 = false) {
  const auto filter = CaptureFilter::Compile(text, NameLookup::kRefuse);
  if (!filter) fail_msg("%s: %s", std::string(text).c_str(), SentenceOf(filter.error()).c_str());
  return MakePlan(*filter, {.max_requests = max_requests, .pin_ipv6 = pin_ipv6});
}

/// The requests as filters, in brackets: "[dst port 53][src port 53]"; "[]" holds everything.
std::string Written(const std::vector<Box>& boxes) {
  std::string text;
  for (const Box& box : boxes) text += "[" + BoxAsFilter(box) + "]";
  return text;
}

std::string Requests(std::string_view text, int max_requests, bool pin_ipv6 = false) {
  return Written(PlanOf(text, max_requests, pin_ipv6).requests);
}

void AssertForAnyN(std::string_view text, std::string_view requests) {
  for (const int n : {1, 2, 3, 4}) AssertText(Requests(text, n), requests);
}

std::string Undocumented(std::string_view text, int max_requests, bool pin_ipv6 = false) {
  std::string all;
  for (const std::string& phrase : PlanOf(text, max_requests, pin_ipv6).undocumented) {
    all += phrase + ";";
  }
  return all;
}

void AConjunctionIsOneExactRequest(void**) {
  const char* const text =
      "src host 1.2.3.4 and src port 123 and dst host 5.6.7.8 and dst port 80 and tcp";
  for (const int n : {1, 2, 3, 4}) {
    const Plan plan = PlanOf(text, n);
    assert_int_equal(plan.requests.size(), 1);
    const Box& box = plan.requests.front();
    AssertText(box.source_address->ToString(), "1.2.3.4");
    assert_int_equal(*box.source_port, 123);
    AssertText(box.destination_address->ToString(), "5.6.7.8");
    assert_int_equal(*box.destination_port, 80);
    assert_int_equal(*box.protocol, 6);
    assert_true(plan.exact);
    assert_false(plan.broad);
    assert_true(plan.undocumented.empty());
  }
}

void AHostIsADestinationAndASource(void**) {
  const Plan two = PlanOf("host 203.0.113.7", 2);
  AssertText(Written(two.requests), "[dst host 203.0.113.7][src host 203.0.113.7]");
  assert_true(two.exact);
  assert_false(two.broad);
  const Plan one = PlanOf("host 203.0.113.7", 1);
  AssertText(Written(one.requests), "[]");
  assert_false(one.exact);
  assert_true(one.broad);
  AssertText(Written(one.narrower), "[dst host 203.0.113.7][src host 203.0.113.7]");
}

void APortIsADestinationAndASource(void**) {
  AssertText(Requests("tcp port 443", 2), "[tcp dst port 443][tcp src port 443]");
  AssertText(Requests("tcp port 443", 1), "[tcp]");
  AssertText(Requests("port 53", 2), "[dst port 53][src port 53]");
  AssertText(Requests("port 53", 1), "[]");
  // The three protocols with ports together are no protocol, whatever the number of requests.
  AssertText(Requests("port 53", 4), "[dst port 53][src port 53]");
  AssertText(Requests("host 192.0.2.1 and port 53", 2), "[dst host 192.0.2.1][src host 192.0.2.1]");
}

void ProtocolsArePinned(void**) {
  AssertForAnyN("icmp", "[icmp]");
  AssertForAnyN("tcp", "[tcp]");
  AssertForAnyN("icmp6", "[icmp6]");
  AssertForAnyN("ip proto 47", "[proto 47]");
  AssertForAnyN("tcp[tcpflags] & tcp-syn != 0 and dst host 192.0.2.1",
                "[dst host 192.0.2.1 and tcp]");
  AssertForAnyN("((tcp and src 192.0.2.1) or (udp and src 192.0.2.1)) and tcp",
                "[src host 192.0.2.1 and tcp]");
}

void BytesThatAreNoPortsPinNone(void**) {
  AssertForAnyN("icmp[0:2] = 0x0800", "[icmp]");
  AssertForAnyN("udp and ip[20:2] = 53", "[udp]");
  AssertForAnyN("ip6[40:2] = 443", "[]");
  AssertForAnyN("ip6 proto 58 and ip6[40:2] = 0x8000", "[icmp6]");
  // A later fragment has no ports: libpcap tests its first bytes only if asked for by offset.
  AssertForAnyN("udp and ip[0] = 0x45 and ip[20:2] = 53", "[udp]");
  AssertForAnyN("udp and ip[0] & 0xf = 6 and ip[6:2] & 0x1fff = 0 and ip[20:2] = 53", "[udp]");
}

void BytesThatMustBePortsPinThem(void**) {
  AssertForAnyN("udp and ip[0] = 0x45 and ip[6:2] & 0x1fff = 0 and ip[20:2] = 53",
                "[udp src port 53]");
  AssertForAnyN("udp and ip[0] & 0xf = 6 and ip[6:2] & 0x3fff = 0 and ip[26:2] = 53",
                "[udp dst port 53]");
  AssertForAnyN("ip6[6] = 17 and ip6[42:2] = 53", "[udp dst port 53]");
  // libpcap's word for it lets fragments through, whose bytes 42 and 43 are no port.
  AssertForAnyN("ip6 proto 17 and ip6[42:2] = 53", "[udp]");
  AssertForAnyN("udp[2:2] = 53", "[udp dst port 53]");
  AssertForAnyN("udp[2] = 0 and udp[3] = 53", "[udp dst port 53]");
}

void RangesThatLeaveOneValuePinIt(void**) {
  AssertForAnyN("src net 192.0.2.0/31 and not src host 192.0.2.0", "[src host 192.0.2.1]");
  AssertForAnyN("dst portrange 80-81 and not dst port 81 and udp", "[udp dst port 80]");
  AssertForAnyN("ip[9] = 17 and ip[16:4] = 0xc0000201", "[dst host 192.0.2.1 and udp]");
  AssertForAnyN("ip[16:2] = 0xc000 and ip[18] = 2 and ip[19] & 0xfe = 8 and ip[19] > 8",
                "[dst host 192.0.2.9]");
  AssertForAnyN("ip[9] / 2 = 8 and not ip[9] = 16", "[udp]");
}

void AHandfulOfValuesBecomesRequests(void**) {
  AssertText(Requests("udp dst portrange 80-81", 2), "[udp dst port 80][udp dst port 81]");
  AssertText(Requests("udp dst portrange 80-81", 1), "[udp]");
  AssertText(Requests("udp dst portrange 80-83", 4),
             "[udp dst port 80][udp dst port 81][udp dst port 82][udp dst port 83]");
  AssertText(Requests("udp dst portrange 80-84", 4), "[udp]");
  AssertText(Requests("src net 192.0.2.0/31", 2), "[src host 192.0.2.0][src host 192.0.2.1]");
}

void Ipv6AddressesAreTheUsersChoice(void**) {
  const char* const text = "ip6 host 2001:db8::1 and udp port 53";
  AssertText(Requests(text, 2), "[udp dst port 53][udp src port 53]");
  AssertText(Requests(text, 1), "[udp]");
  assert_true(PlanOf(text, 1).ipv6_would_narrow);
  AssertText(Requests(text, 2, true),
             "[dst host 2001:db8::1 and udp][src host 2001:db8::1 and udp]");
  AssertText(Requests("dst host 2001:db8::1", 1, true), "[dst host 2001:db8::1]");
  AssertText(Requests("dst host 2001:db8::1", 1), "[]");
  assert_false(PlanOf(text, 2, true).ipv6_would_narrow);
}

void ExtensionHeadersAreNoProtocol(void**) {
  for (const char* text : {"ip6[6] = 0", "ip6[6] = 43", "ip6[6] = 44", "ip6[6] = 51", "ip6[6] = 60",
                           "ip6[6] = 135", "ip6[6] = 44 and ip6[40] = 60"}) {
    AssertForAnyN(text, "[]");
  }
  AssertForAnyN("ip6[6] = 44 and ip6[40] = 6", "[tcp]");
  // In IPv4 these are protocols like any other.
  AssertForAnyN("ip[9] = 51", "[proto 51]");
  AssertForAnyN("ah", "[]");
}

void NothingUnderstoodMeansNothingPinned(void**) {
  AssertForAnyN("tcp[tcp[12] / 4] = 0x47", "[tcp]");
  for (const char* text : {"", "ip6 protochain 6", "protochain 17", "vlan", "greater 100",
                           "ip[12:4] = ip[16:4]", "net 10.0.0.0/8", "not host 192.0.2.1",
                           "ip[8] + ip[9] = 17", "ip[0] = 0x55", "link[9] = 17"}) {
    AssertForAnyN(text, "[]");
  }
}

void PortsOfAnyKindNeedAProtocolThatHasThem(void**) {
  AssertText(Requests("portrange 1-1023", 2), "[]");
  AssertText(Requests("portrange 1-1023", 3), "[tcp][udp][sctp]");
  AssertText(Requests("portrange 1-1023", 4), "[tcp][udp][sctp]");
}

void APathThatContradictsItselfIsDropped(void**) {
  // libpcap compiles it; no packet passes the first half.
  AssertForAnyN("(src host 192.0.2.1 and src net 10.0.0.0/8) or dst host 192.0.2.2",
                "[dst host 192.0.2.2]");
  AssertForAnyN("src host 192.0.2.1 and src net 10.0.0.0/8", "[]");
}

void MergingGivesUpTheProtocolFirst(void**) {
  AssertText(Requests("dst host 192.0.2.1 and (tcp or udp)", 1), "[dst host 192.0.2.1]");
  AssertText(Requests("(dst host 192.0.2.1 and tcp dst port 80) or "
                      "(dst host 192.0.2.1 and tcp dst port 81) or dst host 192.0.2.2",
                      2),
             "[dst host 192.0.2.1 and tcp][dst host 192.0.2.2]");
}

void ManyHostsStillGiveAPlan(void**) {
  std::string text = "tcp and (dst host 10.0.0.0";
  for (int i = 1; i < 200; ++i) text += " or dst host 10.0.0." + std::to_string(i);
  text += ") and (dst port 1000";
  for (int i = 1; i < 50; ++i) text += " or dst port " + std::to_string(1000 + i);
  AssertForAnyN(text + ")", "[tcp]");
}

void ExactSaysThatNoResidualIsNeeded(void**) {
  for (const char* text :
       {"", "ip or ip6", "dst host 192.0.2.1", "dst host 192.0.2.1 and tcp dst port 443",
        "dst host 192.0.2.1 and icmp", "src host 192.0.2.1 and dst port 53",
        "ip[16:4] = 0xc0000201 and ip[9] = 47"}) {
    assert_true(PlanOf(text, 2).exact);
  }
  for (const char* text :
       {"icmp", "tcp", "tcp dst port 443", "port 53", "ip", "ip6", "greater 1", "vlan",
        "dst host 192.0.2.1 and udp[4:2] > 8", "dst host 192.0.2.1 and not tcp",
        "dst host 192.0.2.1 and ip[20] >= 0", "ip protochain 6", "net 10.0.0.0/8",
        "dst host 192.0.2.1 and ip[2:2] / ip[8] >= 0"}) {
    if (PlanOf(text, 2).exact) fail_msg("%s is not exact", text);
  }
  assert_true(PlanOf("host 192.0.2.1", 2).exact);
  assert_false(PlanOf("host 192.0.2.1", 1).exact);
  assert_true(PlanOf("dst host 2001:db8::1", 1, true).exact);
  assert_false(PlanOf("dst host 2001:db8::1 and tcp", 1, true).exact);
}

void BroadIsARequestThatPinsNoneOfWhatTheFilterNames(void**) {
  for (const char* text : {"host 192.0.2.1", "port 53", "tcp port 443", "net 10.0.0.0/8",
                           "host 192.0.2.1 or icmp", "tcp portrange 1-1023", "host 2001:db8::1"}) {
    if (!PlanOf(text, 1).broad) fail_msg("%s is broad", text);
  }
  for (const char* text : {"", "tcp", "icmp", "greater 100", "not host 192.0.2.1", "vlan",
                           "not tcp port 443", "dst host 192.0.2.1", "src host 192.0.2.1 and udp",
                           "tcp[tcpflags] & tcp-syn != 0", "ip6 protochain 6"}) {
    if (PlanOf(text, 1).broad) fail_msg("%s is not broad", text);
  }
  assert_false(PlanOf("host 192.0.2.1 or icmp", 3).broad);
}

void AFilterAboutTheLinkLayerThatNamesAnEndpointIsBroad(void**) {
  const std::pair<const char*, const char*> named[] = {
      {"vlan and host 192.0.2.1", "[dst host 192.0.2.1][src host 192.0.2.1]"},
      {"host 192.0.2.1 or (vlan and host 192.0.2.1)", "[dst host 192.0.2.1][src host 192.0.2.1]"},
      {"vlan 5 and vlan 6 and dst host 192.0.2.1", "[dst host 192.0.2.1]"},
      {"ether host 1:2:3:4:5:6 and tcp dst port 443", "[tcp dst port 443]"},
      {"mpls and src host 192.0.2.1", "[src host 192.0.2.1]"},
      {"mpls 5 and mpls 6 and udp src port 53", "[udp src port 53]"},
      {"vlan and mpls and dst host 192.0.2.1", "[dst host 192.0.2.1]"},
      {"vlan and src net 10.0.0.0/8", ""},
      {"vlan and ip6 dst host 2001:db8::1", ""},
      {"ether src 1:2:3:4:5:6 and ether[30:4] = 0xc0000201", ""}};
  for (const auto& [text, narrower] : named) {
    for (const int n : {1, 4}) {
      const Plan plan = PlanOf(text, n);
      if (!plan.broad) fail_msg("%s is broad", text);
      assert_true(plan.link_layer);
      AssertText(Written(plan.requests), "[]");
      if (n == 1) AssertText(Written(plan.narrower), narrower);
    }
  }
  for (const char* text :
       {"vlan", "vlan 5 and tcp", "vlan and ip[8] = 1", "ip[8] = 1 or (vlan and ip[8] = 1)",
        "mpls and ip[8] = 1", "ether host 1:2:3:4:5:6", "multicast", "mpls 1000 and udp",
        "vlan and not host 192.0.2.1", "vlan and ip protochain 6", "ether multicast and icmp",
        "ether[12:2] = 0x8137", "vlan and arp or vlan and host 192.0.2.1 and port 9 and arp"}) {
    const auto filter = CaptureFilter::Compile(text, NameLookup::kRefuse);
    if (!filter || filter->kind() != CaptureFilter::Kind::kLinkLayer) continue;
    const Plan plan = PlanOf(text, 1);
    if (plan.broad) fail_msg("%s is not broad", text);
    assert_true(plan.link_layer);
  }
  assert_false(PlanOf("host 192.0.2.1", 1).link_layer);
}

void ABroadPlanIsRefusedWithWhatWouldWork(void**) {
  AssertText(SentenceOf(BroadPlanError(PlanOf("tcp port 443", 1))),
             "Cloudflare's own filter can express only \"tcp\" of this filter, so other traffic "
             "would use up the packet limit; narrower filters that work: tcp dst port 443, or tcp "
             "src port 443; "
             "set the option if-broad to warn to run it anyway.");
  AssertText(
      SentenceOf(BroadPlanError(PlanOf("vlan and host 192.0.2.1", 1))),
      "Cloudflare's own filter can express nothing of this filter, so other traffic would use up "
      "the packet limit; leave out vlan and other link-layer words, VLAN tags are skipped; "
      "narrower filters that work: dst host 192.0.2.1, or src host 192.0.2.1; set the option "
      "if-broad to warn to run it anyway.");
  AssertText(SentenceOf(BroadPlanError(PlanOf("net 10.0.0.0/8", 1))),
             "Cloudflare's own filter can express nothing of this filter, so other traffic would "
             "use up the packet limit; set the option if-broad to warn to run it anyway.");
}

void NarrowerFiltersPlanAsTheirBoxes(void**) {
  const Plan plan = PlanOf("host 192.0.2.1 and tcp port 80 or icmp", 1);
  assert_true(plan.broad);
  assert_int_equal(plan.narrower.size(), 4);
  for (const Box& box : plan.narrower) {
    const Plan narrow = PlanOf(BoxAsFilter(box), 1);
    assert_int_equal(narrow.requests.size(), 1);
    assert_true(narrow.requests.front() == box);
    assert_false(narrow.broad);
  }
  std::string many = "dst host 10.0.0.0";
  for (int i = 1; i < 40; ++i) many += " or dst host 10.0.0." + std::to_string(i);
  assert_int_equal(PlanOf(many, 1).narrower.size(), 16);
}

void WhatIsNotDocumentedIsSaid(void**) {
  AssertText(Undocumented("dst host 192.0.2.1 and tcp dst port 443", 1), "");
  AssertText(Undocumented("icmp", 1), "");
  AssertText(Undocumented("tcp", 1), "the protocol of IPv6 packets;");
  AssertText(Undocumented("ip and udp dst port 53", 1), "");
  AssertText(Undocumented("tcp port 443", 2),
             "the protocol of IPv6 packets;the ports of IPv6 packets;");
  AssertText(Undocumented("ip and port 53", 2),
             "ports without a protocol;the ports of SCTP packets;");
  AssertText(Undocumented("ip and sctp dst port 53", 2), "the ports of SCTP packets;");
  AssertText(Undocumented("dst host 2001:db8::1", 1, true), "IPv6 addresses;");
}

void PlansAreTheSameEachTime(void**) {
  for (const char* text : {"host 192.0.2.1 and host 192.0.2.2 and port 53",
                           "(src host 192.0.2.1 and dst host 192.0.2.2) or "
                           "(src host 192.0.2.1 and dst host 192.0.2.3) or "
                           "(src host 192.0.2.4 and dst host 192.0.2.2)"}) {
    AssertText(Requests(text, 2), Requests(text, 2));
  }
  // Of two plans that cost the same, the one that comes first in the order of requests.
  AssertText(Requests("(src host 192.0.2.1 and dst host 192.0.2.2) or "
                      "(src host 192.0.2.1 and dst host 192.0.2.3) or "
                      "(src host 192.0.2.4 and dst host 192.0.2.2)",
                      2),
             "[src host 192.0.2.1 and dst host 192.0.2.3][dst host 192.0.2.2]");
}

void NamesThatNobodyLookedUpPinNothing(void**) {
  const auto filter = CaptureFilter::Compile("host www.example.com", NameLookup::kAccept);
  assert_true(filter.has_value());
  const Plan plan = MakePlan(*filter, {});
  AssertText(Written(plan.requests), "[]");
  assert_false(plan.exact);
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AConjunctionIsOneExactRequest),
      cmocka_unit_test(AHostIsADestinationAndASource),
      cmocka_unit_test(APortIsADestinationAndASource),
      cmocka_unit_test(ProtocolsArePinned),
      cmocka_unit_test(BytesThatAreNoPortsPinNone),
      cmocka_unit_test(BytesThatMustBePortsPinThem),
      cmocka_unit_test(RangesThatLeaveOneValuePinIt),
      cmocka_unit_test(AHandfulOfValuesBecomesRequests),
      cmocka_unit_test(Ipv6AddressesAreTheUsersChoice),
      cmocka_unit_test(ExtensionHeadersAreNoProtocol),
      cmocka_unit_test(NothingUnderstoodMeansNothingPinned),
      cmocka_unit_test(PortsOfAnyKindNeedAProtocolThatHasThem),
      cmocka_unit_test(APathThatContradictsItselfIsDropped),
      cmocka_unit_test(MergingGivesUpTheProtocolFirst),
      cmocka_unit_test(ManyHostsStillGiveAPlan),
      cmocka_unit_test(ExactSaysThatNoResidualIsNeeded),
      cmocka_unit_test(BroadIsARequestThatPinsNoneOfWhatTheFilterNames),
      cmocka_unit_test(AFilterAboutTheLinkLayerThatNamesAnEndpointIsBroad),
      cmocka_unit_test(ABroadPlanIsRefusedWithWhatWouldWork),
      cmocka_unit_test(NarrowerFiltersPlanAsTheirBoxes),
      cmocka_unit_test(WhatIsNotDocumentedIsSaid),
      cmocka_unit_test(PlansAreTheSameEachTime),
      cmocka_unit_test(NamesThatNobodyLookedUpPinNothing),
  };
  return cmocka_run_group_tests_name("plan", tests, nullptr, nullptr);
}
