// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_terms.h"

#include <set>

#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

TrafficTerms Terms(std::string_view text) {
  return TermsOf(ValueOf(filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse)));
}

/// The destination of the only match.
api::SideMatch Destination(std::string_view text) {
  const TrafficTerms terms = Terms(text);
  assert_int_equal(terms.matches.size(), 1);
  return terms.matches.front().destination;
}

void HostsPortsAndProtocolsAreTold(void**) {
  const TrafficTerms terms = Terms("src host 192.0.2.1 and udp src port 53");
  assert_int_equal(terms.matches.size(), 1);
  const api::TrafficMatch due{.source = {.addresses = {"192.0.2.1"}, .port = 53}, .protocol = 17};
  assert_true(terms.matches.front() == due);
  assert_true(terms.exact);
  AssertText(terms.AsFilter(), "src host 192.0.2.1 and udp src port 53");
}

void BothDirectionsAreTwoMatches(void**) {
  const TrafficTerms terms = Terms("host 2001:db8::7 and tcp");
  assert_int_equal(terms.matches.size(), 2);
  AssertText(terms.matches[0].destination.addresses.at(0), "2001:db8::7");
  AssertText(terms.matches[1].source.addresses.at(0), "2001:db8::7");
  assert_true(terms.exact);
  AssertText(terms.AsFilter(), "(dst host 2001:db8::7 and tcp) or (src host 2001:db8::7 and tcp)");
}

void EverythingIsOneMatchOfNothing(void**) {
  const TrafficTerms terms = Terms("");
  assert_int_equal(terms.matches.size(), 1);
  assert_true(terms.matches.front() == api::TrafficMatch());
  assert_true(terms.exact);
  AssertText(terms.AsFilter(), "");
}

/// Prefixes that have words: a /24 and a /64 are subnets; up to 32 of these, or addresses, are
/// listed; a /16 and a /8 are patterns.
void PrefixesWithWordsAreExact(void**) {
  AssertText(Destination("dst net 203.0.113.0/24").subnets.at(0), "203.0.113.0/24");
  AssertText(Destination("dst net 2001:db8:1:2::/64").subnets.at(0), "2001:db8:1:2::/64");
  AssertText(Destination("dst net 10.1.0.0/16").like, "10.1.%");
  AssertText(Destination("dst net 10.0.0.0/8").like, "10.%");
  const api::SideMatch subnets = Destination("dst net 10.1.192.0/19");
  assert_int_equal(subnets.subnets.size(), 32);
  AssertText(subnets.subnets.front(), "10.1.192.0/24");
  AssertText(subnets.subnets.back(), "10.1.223.0/24");
  const api::SideMatch addresses = Destination("dst net 203.0.113.64/30");
  assert_int_equal(addresses.addresses.size(), 4);
  AssertText(addresses.addresses.front(), "203.0.113.64");
  AssertText(addresses.addresses.back(), "203.0.113.67");
  const api::SideMatch ipv6 = Destination("dst net 2001:db8::/62");
  assert_int_equal(ipv6.subnets.size(), 4);
  AssertText(ipv6.subnets.back(), "2001:db8:0:3::/64");
  for (const char* text :
       {"dst net 203.0.113.0/24", "dst net 10.1.192.0/19", "src net 10.0.0.0/8",
        "dst net 203.0.113.64/30", "dst net 2001:db8::/62", "net 203.0.113.0/24 and udp port 53"}) {
    if (!Terms(text).exact) fail_msg("%s is not exact", text);
  }
}

void PrefixesWithoutWordsAreWidenedAndToldSo(void**) {
  const struct {
    const char* filter;
    const char* told;
  } cases[] = {
      {"dst net 203.0.113.128/25", "dst net 203.0.113.0/24"},
      {"dst net 10.64.0.0/10 and tcp", "dst net 10.0.0.0/8 and tcp"},
      {"dst net 10.1.128.0/18", "dst net 10.1.0.0/16"},
      {"dst net 2001:db8:1:2:8000::/65", "dst net 2001:db8:1:2::/64"},
      {"dst net 2001:db8::/32 and udp", "udp"},
      {"dst net 203.0.113.0/24 and not tcp", "dst net 203.0.113.0/24"},
      {"less 100", ""},
      {"vlan", ""},
  };
  for (const auto& one : cases) {
    const TrafficTerms terms = Terms(one.filter);
    AssertText(terms.AsFilter(), one.told);
    if (terms.exact) fail_msg("%s is exact", one.filter);
  }
}

/// Two halves of a /24 are told once.
void TheSameWordsAreToldOnce(void**) {
  const TrafficTerms terms = Terms("dst net 203.0.113.0/25 or dst net 203.0.113.128/25");
  assert_int_equal(terms.matches.size(), 1);
  assert_int_equal(terms.told.size(), 1);
  AssertText(terms.AsFilter(), "dst net 203.0.113.0/24");
}

/// The law of a list: its members are the prefix's own, each once.
void ListsHoldTheWholePrefix(void**) {
  for (int bits = 19; bits <= 32; ++bits) {
    const std::string text = "dst net 10.1.160.0/" + std::to_string(bits);
    const api::SideMatch side = Destination(text);
    const std::size_t due = bits >= 27 ? 1U << (32 - bits) : bits >= 24 ? 1 : 1U << (24 - bits);
    std::set<std::string> members(side.addresses.begin(), side.addresses.end());
    members.insert(side.subnets.begin(), side.subnets.end());
    assert_int_equal(members.size(), due);
  }
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(HostsPortsAndProtocolsAreTold),
      cmocka_unit_test(BothDirectionsAreTwoMatches),
      cmocka_unit_test(EverythingIsOneMatchOfNothing),
      cmocka_unit_test(PrefixesWithWordsAreExact),
      cmocka_unit_test(PrefixesWithoutWordsAreWidenedAndToldSo),
      cmocka_unit_test(TheSameWordsAreToldOnce),
      cmocka_unit_test(ListsHoldTheWholePrefix),
  };
  return cmocka_run_group_tests_name("traffic_terms", tests, nullptr, nullptr);
}
