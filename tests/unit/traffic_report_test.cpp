// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_report.h"

#include <jansson.h>

#include "extcap/api/api_answer.h"
#include "tests/unit/analytics_answers.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

WallTime At(const char* text) {
  return *ParseRfc3339(text);
}

filter::CaptureFilter Compiled(std::string_view text) {
  return ValueOf(filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse));
}

struct ReportFixture : AnalyticsFixture {
  Result<TrafficReport> Ask(std::string_view filter, const Window& window,
                            const api::AnalyticsBounds& bounds = {}) {
    return AskTraffic(analytics, Compiled(filter), window, bounds, loop.Now(), ForSeconds(0));
  }
  /// The report of an hour whose answers have these rows.
  TrafficReport Hour(std::string_view filter, const std::vector<std::string>& answers) {
    http.Answer("POST", kGraphqlUrl, RowsAnswer(answers));
    const WallTime end = loop.Now() - 2min;
    return ValueOf(Ask(filter, {end - 1h, end}));
  }
};

void TheDefaultWindowIsAnHourUpToTwoMinutesAgo(void**) {
  const WallTime now = At("2026-11-23T06:20:00.7Z");
  const Window window = ValueOf(TrafficWindow("", "", now));
  AssertText(FormatRfc3339(window.start), "2026-11-23T05:20:00Z");
  AssertText(FormatRfc3339(window.end), "2026-11-23T06:18:00Z");
  const Window given = ValueOf(TrafficWindow("2026-11-20T00:00:00Z", "-1d", now));
  AssertText(FormatRfc3339(given.start), "2026-11-20T00:00:00Z");
  AssertText(FormatRfc3339(given.end), "2026-11-22T06:20:00Z");
}

void AWindowThatCannotBeIsRefused(void**) {
  const WallTime now = At("2026-11-23T06:20:00Z");
  AssertFails(TrafficWindow("-5m", "-10m", now), Error::Kind::kUsage, "is not before end-time");
  AssertFails(TrafficWindow("", "2026-11-24T00:00:00Z", now), Error::Kind::kUsage, "in the future");
  AssertFails(TrafficWindow("soon", "", now), Error::Kind::kUsage, "start-time is \"soon\"");
}

/// One request, whatever is asked: the window, its last five minutes, a prefix's addresses.
void OneRequestTellsAll(void**) {
  ReportFixture f;
  const TrafficReport report = f.Hour("dst net 203.0.113.0/24",
                                      {SiteRow("ord02", 400000) + "," + SiteRow("fra07", 600000),
                                       SiteRow("fra07", 50000), AddressRow("203.0.113.7", 900000)});
  assert_int_equal(f.http.requests.size(), 1);
  AssertText(FormatRfc3339(report.recent->start), "2026-11-23T06:13:00Z");
  AssertText(report.table.colos[0].colo, "FRA");
  assert_true(report.table.colos[0].recent_share.value == 1);
  AssertText(report.busy.at(0).filter, "dst host 203.0.113.7");
  assert_false(report.more_rows);
}

void AnIpv6AddressIsNamedWithTheSetting(void**) {
  ReportFixture f;
  AssertContains(
      ReportAsText(f.Hour("dst net 2001:db8:113::/64",
                          {SiteRow("fra07", 10000), "", AddressRow("2001:db8:113::7", 10000)})),
      "100%    dst host 2001:db8:113::7  (with filter-ipv6 on)\n");
}

void AShortWindowHasNoLastMinutes(void**) {
  ReportFixture f;
  f.http.Answer("POST", kGraphqlUrl, RowsAnswer({""}));
  const WallTime end = f.loop.Now();
  assert_false(ValueOf(f.Ask("", {end - 9min, end})).recent.has_value());
}

void TheAccountsBoundsCutTheWindow(void**) {
  ReportFixture f;
  f.http.Answer("POST", kGraphqlUrl, RowsAnswer({"", ""}));
  const WallTime end = f.loop.Now();
  const Window week{end - 168h, end};
  const TrafficReport day = ValueOf(f.Ask("", week, {.max_duration = 86400, .max_page_size = 50}));
  assert_true(day.window.start == end - 24h && day.window.end == end);
  AssertContains(day.cut, "this account may ask for 24 h at a time");
  AssertContains(f.http.requests.back().body, "limit: 50,");
  const TrafficReport kept = ValueOf(f.Ask("", week, {.not_older_than = 172800}));
  assert_true(kept.window.start == end - 48h + 1min);
  AssertContains(kept.cut, "go back 2 days");
  AssertFails(f.Ask("", {end - 168h, end - 100h}, {.not_older_than = 172800}), Error::Kind::kUsage,
              "give a later window");
}

void AnAccountWithoutTheDatasetIsNotAsked(void**) {
  ReportFixture f;
  const WallTime end = f.loop.Now();
  AssertFails(f.Ask("", {end - 1h, end}, {.enabled = false}), Error::Kind::kFinal,
              "this account has no analytics of Magic Transit's packets");
  assert_true(f.http.requests.empty());
}

void AFullPageIsSaid(void**) {
  ReportFixture f;
  f.http.Answer("POST", kGraphqlUrl, RowsAnswer({SiteRow("fra07", 10000), ""}));
  const WallTime end = f.loop.Now();
  const TrafficReport report = ValueOf(f.Ask("", {end - 1h, end}, {.max_page_size = 1}));
  AssertContains(ReportAsText(report), "small data centers are missing");
}

void TheTextSaysWhatTheNumbersAre(void**) {
  ReportFixture f;
  AssertText(
      ReportAsText(f.Hour("dst host 203.0.113.7",
                          {SiteRow("ord02", 500000) + "," + SiteRow("ord08", 110000, "dosd") + "," +
                               SiteRow("fra07", 390000),
                           SiteRow("ord02", 60000) + "," + SiteRow("fra07", 40000)})),
      "Traffic matching \"dst host 203.0.113.7\" that entered Cloudflare's network from "
      "2026-11-23T05:18:00Z to 2026-11-23T06:18:00Z:\n"
      "about 1,000,000 packets, estimated from 100 samples (Cloudflare's analytics keep one packet "
      "in about 10,000).\n"
      "\n"
      "DATA CENTER         SHARE   RANGE  LAST 5 MIN  PACKETS  SAMPLES  DROPPED  DROPPED RANGE  "
      "DROPPED BY\n"
      "ORD (Chicago)         61%  51-70%         60%  610,000       61      18%         10-30%  "
      "dosd\n"
      "  ord02: 82% of it\n"
      "FRA (Frankfurt)       39%  30-49%         40%  390,000       39       0%           0-9%\n"
      "\n"
      "Note: dropped is what Cloudflare's systems dropped; whether a capture has these packets is "
      "not published.\n");
}

void NothingFoundIsNoSamples(void**) {
  ReportFixture f;
  const std::vector<std::string> nothing(2);
  const std::string text = ReportAsText(f.Hour("udp", nothing));
  AssertContains(text, "No samples of traffic matching \"udp\" from 2026-11-23T05:18:00Z");
  AssertContains(text, "That is not \"no traffic\"");
  ReportFixture all;
  AssertContains(ReportAsText(all.Hour("", nothing)), "No samples of traffic towards this account");
}

void WhatIsCountedAsWellIsSaid(void**) {
  ReportFixture f;
  AssertContains(ReportAsText(f.Hour("udp and not port 53", {SiteRow("fra07", 10000), ""})),
                 "can express only \"udp\" of this filter, so other packets are counted as well");
  ReportFixture none;
  AssertContains(ReportAsText(none.Hour("less 100", {SiteRow("fra07", 10000), ""})),
                 "cannot express any part of this filter");
}

void ARouteThatMovedIsSaid(void**) {
  ReportFixture f;
  const std::string text = ReportAsText(f.Hour(
      "", {SiteRow("fra07", 1000000) + "," + SiteRow("ams01", 100000), SiteRow("ams01", 90000)}));
  AssertContains(text,
                 "AMS (Amsterdam) had 9% in the whole window and has 100% in its last five "
                 "minutes: the route may have moved");
  // Chance explains a small difference.
  ReportFixture still;
  const std::string calm =
      ReportAsText(still.Hour("", {SiteRow("fra07", 1000000) + "," + SiteRow("ams01", 100000),
                                   SiteRow("fra07", 70000) + "," + SiteRow("ams01", 20000)}));
  assert_true(calm.find("moved") == std::string::npos);
}

void TheJsonHasTheSameNumbers(void**) {
  ReportFixture f;
  const std::string text = ReportAsJson(f.Hour(
      "dst net 203.0.113.0/24", {SiteRow("ord02", 610000) + "," + SiteRow("fra07", 390000, "dosd"),
                                 "", AddressRow("203.0.113.7", 500000)}));
  const Json json(json_loads(text.c_str(), 0, nullptr));
  assert_non_null(json.get());
  const json_t* const ord = json_array_get(json_object_get(json.get(), "colos"), 0);
  const json_t* const fra = json_array_get(json_object_get(json.get(), "colos"), 1);
  AssertText(json_string_value(json_object_get(ord, "colo")), "ORD");
  AssertText(json_string_value(json_object_get(ord, "city")), "Chicago");
  assert_int_equal(json_integer_value(json_object_get(ord, "packets")), 610000);
  assert_int_equal(json_integer_value(json_object_get(ord, "samples")), 61);
  assert_true(json_real_value(json_object_get(ord, "share")) == 0.61);
  assert_true(json_real_value(json_object_get(fra, "dropped_share")) == 1);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(fra, "dropped_by"), "dosd")),
                   390000);
  AssertText(
      json_string_value(json_object_get(json_array_get(json_object_get(ord, "sites"), 0), "site")),
      "ord02");
  AssertText(json_string_value(json_object_get(json_object_get(json.get(), "window"), "start")),
             "2026-11-23T05:18:00Z");
  assert_int_equal(json_integer_value(json_object_get(json.get(), "sampled")), 10000);
  AssertText(json_string_value(json_object_get(
                 json_array_get(json_object_get(json.get(), "busiest"), 0), "filter")),
             "dst host 203.0.113.7");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheDefaultWindowIsAnHourUpToTwoMinutesAgo),
      cmocka_unit_test(AWindowThatCannotBeIsRefused),
      cmocka_unit_test(OneRequestTellsAll),
      cmocka_unit_test(AnIpv6AddressIsNamedWithTheSetting),
      cmocka_unit_test(AShortWindowHasNoLastMinutes),
      cmocka_unit_test(TheAccountsBoundsCutTheWindow),
      cmocka_unit_test(AnAccountWithoutTheDatasetIsNotAsked),
      cmocka_unit_test(AFullPageIsSaid),
      cmocka_unit_test(TheTextSaysWhatTheNumbersAre),
      cmocka_unit_test(NothingFoundIsNoSamples),
      cmocka_unit_test(WhatIsCountedAsWellIsSaid),
      cmocka_unit_test(ARouteThatMovedIsSaid),
      cmocka_unit_test(TheJsonHasTheSameNumbers),
  };
  return cmocka_run_group_tests_name("traffic_report", tests, nullptr, nullptr);
}
