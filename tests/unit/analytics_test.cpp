// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/analytics.h"

#include <jansson.h>

#include "common/redact.h"
#include "extcap/api/api_answer.h"
#include "tests/unit/analytics_answers.h"

namespace cloudflaredump::api {
namespace {

constexpr const char* kUrl = kGraphqlUrl;
constexpr const char* kNode = "magicTransitNetworkAnalyticsAdaptiveGroups";

FakeAnswer Rows(const std::string& rows) {
  return RowsAnswer({rows});
}

TrafficQuery LastHour(std::vector<TrafficMatch> matches = {}) {
  return {.start = *ParseRfc3339("2026-11-23T05:18:00Z"),
          .end = *ParseRfc3339("2026-11-23T06:18:00Z"),
          .matches = std::move(matches),
          .limit = 100};
}

/// The query text of the only request so far.
std::string QueryOf(const AnalyticsFixture& f) {
  assert_int_equal(f.http.requests.size(), 1);
  const Json body(json_loads(f.http.requests[0].body.c_str(), 0, nullptr));
  AssertText(
      json_string_value(json_object_get(json_object_get(body.get(), "variables"), "accountTag")),
      "acc123");
  return json_string_value(json_object_get(body.get(), "query"));
}

/// The `filter: {…}` of the node that a query with these matches becomes.
std::string FilterOf(std::vector<TrafficMatch> matches) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl, Rows(""));
  AssertGood(f.analytics.Traffic({LastHour(std::move(matches))}, false, f.ForSeconds(0)));
  const std::string query = QueryOf(f);
  const std::string before =
      R"(filter: {datetime_geq: "2026-11-23T05:18:00Z", datetime_lt: "2026-11-23T06:18:00Z", )"
      R"(direction: "ingress")";
  const std::size_t start = query.find(before);
  assert_int_not_equal(start, std::string::npos);
  const std::size_t from = start + before.size();
  return query.substr(from, query.find("}, orderBy: [sum_packets_DESC])") - from);
}

void TheQueryIsTheDocumentedOne(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl, Rows(""));
  AssertGood(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(0)));
  AssertText(QueryOf(f),
             "query CloudflaredumpTraffic($accountTag: string!) { viewer { accounts(filter: "
             "{accountTag: $accountTag}) { q0: magicTransitNetworkAnalyticsAdaptiveGroups(limit: "
             "100, filter: {datetime_geq: \"2026-11-23T05:18:00Z\", datetime_lt: "
             "\"2026-11-23T06:18:00Z\", direction: \"ingress\"}, orderBy: [sum_packets_DESC]) { "
             "sum { packets } dimensions { coloCode coloName outcome mitigationSystem } } } } }");
  const std::pair<std::string, std::string> sent("Authorization",
                                                 "Bearer " + std::string(kTestToken));
  assert_true(f.http.requests[0].headers[0] == sent);
  AssertLacks(f.http.requests[0].body, kTestToken);
}

void QueriesOfOneRequestHaveNamesOfTheirOwn(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl,
                AccountAnswer(R"("q1":[{"dimensions":{"ipDestinationAddress":"203.0.113.7"},)"
                              R"("sum":{"packets":5}}],"q0":[])"));
  TrafficQuery busiest = LastHour();
  busiest.by = TrafficQuery::By::kDestination;
  const auto answers = ValueOf(f.analytics.Traffic({LastHour(), busiest}, true, f.ForSeconds(0)));
  assert_int_equal(answers.size(), 2);
  assert_true(answers[0].empty());
  AssertText(answers[1].at(0).address, "203.0.113.7");
  AssertContains(QueryOf(f), std::string(" q1: ") + kNode);
  AssertContains(QueryOf(f),
                 "{ sum { packets } avg { sampleInterval } dimensions { "
                 "ipDestinationAddress } }");
}

void MatchesAreFilters(void**) {
  AssertText(FilterOf({}), "");
  AssertText(FilterOf({{}}), "");
  AssertText(FilterOf({{.source = {.addresses = {"192.0.2.1"}, .port = 1},
                        .destination = {.addresses = {"2001:db8::7"}, .port = 443},
                        .protocol = 6}}),
             R"(, ipSourceAddress: "192.0.2.1", sourcePort: 1, ipDestinationAddress: )"
             R"("2001:db8::7", destinationPort: 443, ipProtocol: 6)");
  AssertText(FilterOf({{.destination = {.subnets = {"203.0.113.0/24"}}}}),
             R"(, ipDestinationSubnet: "203.0.113.0/24")");
  AssertText(FilterOf({{.source = {.subnets = {"10.0.0.0/24", "10.0.1.0/24"}}}}),
             R"(, ipSourceSubnet_in: ["10.0.0.0/24", "10.0.1.0/24"])");
  AssertText(FilterOf({{.destination = {.like = "10.%"}}}),
             R"(, ipDestinationAddress_like: "10.%")");
  AssertText(FilterOf({{.protocol = 1}, {.source = {.port = 53}}}),
             ", OR: [{ipProtocol: 1}, {sourcePort: 53}]");
  // One of them is everything.
  AssertText(FilterOf({{.protocol = 1}, {}}), "");
}

void RowsAreReadAsTheyCome(void**) {
  AnalyticsFixture f;
  f.http.Answer(
      "POST", kUrl,
      Rows(R"({"dimensions":{"coloCode":"FRA","coloName":"fra07","outcome":"drop",)"
           R"("mitigationSystem":"dosd"},"sum":{"packets":1840000},"avg":{"sampleInterval":1e4}},)"
           R"({"dimensions":{"coloCode":7},"sum":{"packets":-3}},{},null)"));
  const auto answers = ValueOf(f.analytics.Traffic({LastHour()}, true, f.ForSeconds(0)));
  const std::vector<TrafficRow>& rows = answers.at(0);
  assert_int_equal(rows.size(), 4);
  AssertText(rows[0].colo + " " + rows[0].site + " " + rows[0].outcome + " " + rows[0].system,
             "FRA fra07 drop dosd");
  assert_true(rows[0].packets == 1840000 && rows[0].sample_interval == 10000);
  AssertText(rows[1].colo, "");
  assert_true(rows[1].packets == 0);
}

void BoundsAreThoseOfTheSettingsNode(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl,
                AccountAnswer(std::string(R"("settings":{")") + kNode +
                              R"(":{"enabled":true,"maxDuration":604800,"notOlderThan":9676800,)"
                              R"("maxPageSize":10000,"availableFields":["sum_packets",)"
                              R"("avg_sampleInterval"]}})"));
  const AnalyticsBounds bounds = ValueOf(f.analytics.Bounds(f.ForSeconds(0)));
  const AnalyticsBounds due{.enabled = true,
                            .tells_sample_interval = true,
                            .max_duration = 604800,
                            .not_older_than = 9676800,
                            .max_page_size = 10000};
  assert_true(bounds == due);
  AssertContains(QueryOf(f), std::string("{ settings { ") + kNode +
                                 " { enabled maxDuration notOlderThan maxPageSize "
                                 "availableFields } } }");
}

void BoundsThatAreMissingAreUnset(void**) {
  for (const char* settings : {"", R"("settings":null)", R"("settings":{})"}) {
    AnalyticsFixture f;
    f.http.Answer("POST", kUrl, AccountAnswer(settings));
    assert_true(ValueOf(f.analytics.Bounds(f.ForSeconds(0))) == AnalyticsBounds());
  }
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl,
                AccountAnswer(std::string(R"("settings":{")") + kNode +
                              R"(":{"enabled":false,"maxDuration":"7","notOlderThan":0}})"));
  assert_true(ValueOf(f.analytics.Bounds(f.ForSeconds(0))) == AnalyticsBounds{.enabled = false});
  AnalyticsFixture odd;
  odd.http.Answer("POST", kUrl,
                  AccountAnswer(std::string(R"("settings":{")") + kNode +
                                R"(":{"maxDuration":1e30,"notOlderThan":-1,"maxPageSize":60.0}})"));
  assert_true(ValueOf(odd.analytics.Bounds(odd.ForSeconds(0))) ==
              AnalyticsBounds{.max_page_size = 60});
}

/// Every error that Cloudflare publishes: what is done, and what the user is told to do.
void PublishedErrorsAreSentences(void**) {
  const struct {
    int status;
    const char* message;
    const char* remedy;
    Error::Kind kind;
  } errors[] = {
      {400, "cannot request data older than 9676800s", "give a later start time",
       Error::Kind::kFinal},
      {400, "query time range is too large, should be shorter than 1d", "give a shorter window",
       Error::Kind::kFinal},
      {400, "limit must be positive number and not greater than 100",
       "the account's bounds are asked for anew", Error::Kind::kFinal},
      {400, "unknown field \\\"coloCode\\\"", "newer version", Error::Kind::kFinal},
      {400, "error parsing args for \\\"x\\\"", "newer version", Error::Kind::kFinal},
      {401, "Unauthorized", "check the API token", Error::Kind::kFinal},
      {403, "not authorized for that account", "\"Account Analytics: Read\"", Error::Kind::kFinal},
      {403, "zones does not have access to the path. Refer to this page",
       "Enterprise accounts with Magic Transit", Error::Kind::kFinal},
      {429, "rate limiter budget depleted, try again after 5 minutes", "wait 5 minutes",
       Error::Kind::kPassing},
      {500, "internal server error", "try again later", Error::Kind::kPassing},
      {503, "unable to execute query, please try again later", "try again later",
       Error::Kind::kPassing},
  };
  for (const auto& error : errors) {
    // The same words may come with a status of 200.
    for (const int status : {error.status, 200}) {
      if (status == 200 && (error.status == 401 || error.status == 500)) continue;
      AnalyticsFixture f;
      f.http.Answer("POST", kUrl, GraphqlRefusal(status, error.message));
      AssertFails(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(0)), error.kind,
                  error.remedy);
    }
  }
}

void ASpentBudgetIsKnownByItsCode(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl,
                GraphqlRefusal(200, "slow down", R"(,"extensions":{"code":"budget"})"));
  AssertFails(f.analytics.Bounds(f.ForSeconds(0)), Error::Kind::kPassing,
              "cannot ask Cloudflare's analytics: api.example answered with an error: slow down; "
              "wait 5 minutes and try again.");
}

void PassingFaultsAreRepeated(void**) {
  const FakeAnswer faults[] = {
      Lost(),
      {.body = "<html>proxy</html>"},
      {.body = R"({"data":null})"},
      {.status = 502, .body = "bad gateway"},
      GraphqlRefusal(503, "unable to execute query, please try again later"),
      GraphqlRefusal(200, "rate limiter budget depleted")};
  for (const FakeAnswer& fault : faults) {
    AnalyticsFixture f;
    f.http.Answer("POST", kUrl, fault);
    f.http.Answer("POST", kUrl, Rows(""));
    AssertGood(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(5)));
    assert_int_equal(f.http.requests.size(), 2);
  }
}

void FinalErrorsAreNotRepeated(void**) {
  const FakeAnswer faults[] = {
      GraphqlRefusal(403, "not authorized for that account"),
      {.body = R"({"data":{"viewer":{"accounts":[]}},"errors":null})"},
      AccountAnswer(R"("q0":null)"),
  };
  for (const FakeAnswer& fault : faults) {
    AnalyticsFixture f;
    f.http.Answer("POST", kUrl, fault);
    AssertFails(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(60)), Error::Kind::kFinal,
                "cannot ask Cloudflare's analytics: ");
    assert_int_equal(f.http.requests.size(), 1);
  }
}

void RetryAfterIsHonored(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl, {.status = 429, .body = "", .headers = {{"retry-after", "30"}}});
  f.http.Answer("POST", kUrl, Rows(""));
  AssertGood(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(60)));
  assert_int_equal(f.Elapsed(), 30);
}

void AStopEndsTheCall(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kUrl, {.status = 503});
  f.loop.CallAt(f.loop.Steady() + std::chrono::seconds(3), [&] { f.stopped = true; });
  AssertFails(f.analytics.Bounds(f.ForSeconds(600)), Error::Kind::kInterrupted, "");
}

void WhatTheServerSaysIsCleanedAndRedacted(void**) {
  AnalyticsFixture f;
  RegisterSecret(kTestToken);
  f.http.Answer("POST", kUrl,
                GraphqlRefusal(403, std::string("no\\u001b[31m\\nluck with ") + kTestToken));
  const std::string said =
      SentenceOf(ErrorOf(f.analytics.Traffic({LastHour()}, false, f.ForSeconds(0))));
  AssertLacks(said, kTestToken);
  assert_true(said.find('\n') == std::string::npos && said.find('\033') == std::string::npos);
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheQueryIsTheDocumentedOne),
      cmocka_unit_test(QueriesOfOneRequestHaveNamesOfTheirOwn),
      cmocka_unit_test(MatchesAreFilters),
      cmocka_unit_test(RowsAreReadAsTheyCome),
      cmocka_unit_test(BoundsAreThoseOfTheSettingsNode),
      cmocka_unit_test(BoundsThatAreMissingAreUnset),
      cmocka_unit_test(PublishedErrorsAreSentences),
      cmocka_unit_test(ASpentBudgetIsKnownByItsCode),
      cmocka_unit_test(PassingFaultsAreRepeated),
      cmocka_unit_test(FinalErrorsAreNotRepeated),
      cmocka_unit_test(RetryAfterIsHonored),
      cmocka_unit_test(AStopEndsTheCall),
      cmocka_unit_test(WhatTheServerSaysIsCleanedAndRedacted),
  };
  return cmocka_run_group_tests_name("analytics", tests, nullptr, nullptr);
}
