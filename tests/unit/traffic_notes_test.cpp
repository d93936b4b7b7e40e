// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_notes.h"

#include "tests/unit/analytics_answers.h"

namespace cloudflaredump::capture {
namespace {

filter::CaptureFilter Compiled(std::string_view text) {
  return ValueOf(filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse));
}

/// The note after a minute's capture at `colo`, when the window and the hour have these rows.
std::string Note(const std::string& window, const std::string& hour, const std::string& colo,
                 std::string_view text = "dst host 203.0.113.7") {
  AnalyticsFixture f;
  f.http.Answer("POST", kGraphqlUrl, RowsAnswer({window, hour}));
  const WallTime end = f.loop.Now();
  const auto note = TrafficNote(f.analytics, Compiled(text), {end - std::chrono::minutes(1), end},
                                colo, f.ForSeconds(0));
  assert_int_equal(f.http.requests.size(), 1);
  return note.value_or("(none)");
}

void TheRightDataCenterIsNamed(void**) {
  AssertText(Note(SiteRow("fra07", 920000) + "," + SiteRow("ams01", 80000), "", "ORD"),
             "Cloudflare's analytics of this window: this traffic entered at FRA (92%) and AMS "
             "(8%), none at ORD (about, from 100 samples)");
}

void TheAskedOneIsNotDeniedWhereItHasTraffic(void**) {
  for (const char* colo : {"FRA", "fra", "fra07", ""}) {
    AssertText(Note(SiteRow("fra07", 20000), "", colo),
               "Cloudflare's analytics of this window: this traffic entered at FRA (100%) (about, "
               "from 2 samples)");
  }
  AssertContains(Note(SiteRow("fra07", 20000), "", "fra08"), "none at fra08");
}

void DropsAreNamed(void**) {
  AssertText(Note(SiteRow("fra07", 820000) + "," + SiteRow("fra07", 180000, "dosd"), "", "FRA"),
             "Cloudflare's analytics of this window: this traffic entered at FRA (100%); 18% of "
             "it was dropped at Cloudflare (dosd) (about, from 100 samples)");
}

void ManyDataCentersAreCounted(void**) {
  std::string rows;
  for (int i = 0; i < 7; ++i) {
    rows += (i > 0 ? "," : "") +
            SiteRow(std::string("a") + static_cast<char>('a' + i) + "x01", (10 - i) * 10000);
  }
  AssertContains(Note(rows, "", ""), "and 3 others");
}

/// The analytics come late: the hour before tells it then.
void TheHourBeforeTellsWhatTheWindowCannot(void**) {
  AssertText(
      Note("", SiteRow("fra07", 30000), "ORD"),
      "Cloudflare's analytics have no samples of this window yet; in the hour before its end "
      "this traffic entered at FRA (100%), none at ORD (about, from 3 samples)");
  AssertContains(Note("", "", "ORD"), "have no samples of this traffic in the hour before");
}

void WhatWasCountedIsSaid(void**) {
  AssertContains(Note(SiteRow("fra07", 20000), "", "ORD", "dst net 203.0.113.0/24 and not tcp"),
                 "the traffic of \"dst net 203.0.113.0/24\" entered at");
  AssertContains(Note(SiteRow("fra07", 20000), "", "ORD", "less 100"),
                 "all traffic towards this account entered at");
}

void NothingIsSaidWhereNobodyMayAsk(void**) {
  const FakeAnswer refusals[] = {GraphqlRefusal(403, "not authorized for that account"),
                                 GraphqlRefusal(401, "Unauthorized"),
                                 GraphqlRefusal(429, "rate limiter budget depleted"),
                                 {.status = 404, .body = "{}"},
                                 Lost()};
  for (const FakeAnswer& refusal : refusals) {
    AnalyticsFixture f;
    f.http.Answer("POST", kGraphqlUrl, refusal);
    const WallTime end = f.loop.Now();
    const auto filter = Compiled("dst net 203.0.113.0/24");
    const Window window{end - std::chrono::minutes(1), end};
    assert_false(TrafficNote(f.analytics, filter, window, "ORD", f.ForSeconds(0)).has_value());
    AssertText(BusiestAddresses(f.analytics, filter, end, false, f.ForSeconds(0)), "");
    assert_true(BusiestColos(f.analytics, filter, end, f.ForSeconds(0)).empty());
    assert_int_equal(f.http.requests.size(), 3);
  }
}

void OnlyACaptureWithoutPacketsDeservesANote(void**) {
  Outcome outcome;
  assert_true(DeservesTrafficNote(outcome));
  outcome.losses = {"no file of the capture appeared"};
  assert_false(DeservesTrafficNote(outcome));
  outcome.counts.received = 5;  // none of which matched
  assert_true(DeservesTrafficNote(outcome));
  outcome.counts.delivered = 1;
  assert_false(DeservesTrafficNote(outcome));
  outcome.counts.delivered = 0;
  outcome.error = Error{"it failed"};
  assert_false(DeservesTrafficNote(outcome));
}

std::string Busiest(std::string_view text, const std::vector<std::string>& answers,
                    bool ipv6_sent = false) {
  AnalyticsFixture f;
  f.http.Answer("POST", kGraphqlUrl, RowsAnswer(answers));
  return BusiestAddresses(f.analytics, Compiled(text), f.loop.Now(), ipv6_sent, f.ForSeconds(0));
}

void APrefixsBusiestAddressesAreFilters(void**) {
  AssertText(Busiest("dst net 203.0.113.0/24 and udp dst port 53",
                     {AddressRow("203.0.113.7", 610000) + "," + AddressRow("203.0.113.9", 390000),
                      SiteRow("fra07", 1000000)}),
             "dst host 203.0.113.7 and udp dst port 53 (61%), dst host 203.0.113.9 and udp dst "
             "port 53 (39%)");
}

/// What the analytics cannot be told stays in the filter; addresses that it rejects are left out.
void TheRestOfTheFilterStays(void**) {
  AssertText(Busiest("dst net 203.0.113.0/24 and not tcp",
                     {AddressRow("203.0.113.7", 10000), SiteRow("fra07", 10000)}),
             "dst host 203.0.113.7 and (dst net 203.0.113.0/24 and not tcp) (100%)");
  AssertText(Busiest("dst net 203.0.113.0/25",
                     {AddressRow("203.0.113.200", 10000) + "," + AddressRow("203.0.113.7", 10000) +
                          "," + AddressRow("evil\\u001b", 10000),
                      SiteRow("fra07", 40000)}),
             "dst host 203.0.113.7 and (dst net 203.0.113.0/25) (25%)");
}

/// An address that the filter leaves out, which the analytics could not be told, is no filter.
void AnAddressThatTheFilterRejectsIsNotNamed(void**) {
  AssertText(Busiest("dst net 203.0.113.0/24 and not dst host 203.0.113.7",
                     {AddressRow("203.0.113.7", 10000) + "," + AddressRow("203.0.113.8", 10000),
                      SiteRow("fra07", 20000)}),
             "dst host 203.0.113.8 and (dst net 203.0.113.0/24 and not dst host 203.0.113.7) "
             "(50%)");
}

void Ipv6AddressesNeedTheSetting(void**) {
  const std::vector<std::string> answers = {AddressRow("2001:db8:113::7", 10000),
                                            SiteRow("fra07", 10000)};
  AssertText(Busiest("dst net 2001:db8:113::/64", answers),
             "dst host 2001:db8:113::7 (100%, with filter-ipv6 on)");
  AssertText(Busiest("dst net 2001:db8:113::/64", answers, true),
             "dst host 2001:db8:113::7 (100%)");
}

void AFilterWithoutAPrefixIsNotAskedAbout(void**) {
  AnalyticsFixture f;
  AssertText(BusiestAddresses(f.analytics, Compiled("host 203.0.113.7"), f.loop.Now(), false,
                              f.ForSeconds(0)),
             "");
  assert_true(f.http.requests.empty());
}

void ListsOfferDataCentersWithTheirShare(void**) {
  const struct {
    const char* filter;
    const char* display;
  } cases[] = {
      {"dst host 203.0.113.7", "ORD (Chicago): 61% in the last hour"},
      {"", "ORD (Chicago): 61% of the account's traffic in the last hour"},
      {"udp and less 100", "ORD (Chicago): 61% of \"udp\" in the last hour"},
  };
  for (const auto& one : cases) {
    AnalyticsFixture f;
    f.http.Answer("POST", kGraphqlUrl,
                  RowsAnswer({SiteRow("ord02", 610000) + "," + SiteRow("fra07", 390000)}));
    const auto choices =
        BusiestColos(f.analytics, Compiled(one.filter), f.loop.Now(), f.ForSeconds(0));
    assert_int_equal(choices.size(), 2);
    AssertText(choices[0].colo, "ORD");
    AssertText(choices[0].display, one.display);
  }
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheRightDataCenterIsNamed),
      cmocka_unit_test(TheAskedOneIsNotDeniedWhereItHasTraffic),
      cmocka_unit_test(DropsAreNamed),
      cmocka_unit_test(ManyDataCentersAreCounted),
      cmocka_unit_test(TheHourBeforeTellsWhatTheWindowCannot),
      cmocka_unit_test(WhatWasCountedIsSaid),
      cmocka_unit_test(NothingIsSaidWhereNobodyMayAsk),
      cmocka_unit_test(OnlyACaptureWithoutPacketsDeservesANote),
      cmocka_unit_test(APrefixsBusiestAddressesAreFilters),
      cmocka_unit_test(TheRestOfTheFilterStays),
      cmocka_unit_test(AnAddressThatTheFilterRejectsIsNotNamed),
      cmocka_unit_test(Ipv6AddressesNeedTheSetting),
      cmocka_unit_test(AFilterWithoutAPrefixIsNotAskedAbout),
      cmocka_unit_test(ListsOfferDataCentersWithTheirShare),
  };
  return cmocka_run_group_tests_name("traffic_notes", tests, nullptr, nullptr);
}
