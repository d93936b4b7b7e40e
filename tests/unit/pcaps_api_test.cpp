// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcaps_api.h"

#include "common/redact.h"
#include "tests/unit/api_fixture.h"

namespace cloudflaredump::api {
namespace {

using namespace std::chrono_literals;

std::string HeaderOf(const http::HttpRequest& request, const std::string& name) {
  for (const auto& [header, value] : request.headers) {
    if (header == name) return value;
  }
  return "(none)";
}

void EachCallAsksWhatTheSchemaSays(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*/pcaps", Ok("[]"));
  f.http.Answer("GET", "*/pcaps/*", Ok(JobJson(kTestId, "success")));
  f.http.Answer("GET", "*/download", {.body = "pcap"});
  f.http.Answer("PUT", "*/stop", {.status = 204});
  const Patience patience = f.ForSeconds(5);
  AssertGood(f.api.List(patience));
  AssertGood(f.api.Get(kTestId, patience));
  AssertGood(f.api.DownloadSample(kTestId, patience));
  AssertGood(f.api.Stop(kTestId, patience));

  const std::string id = f.pcaps + "/" + kTestId;
  AssertText(f.Methods(), "GET GET GET PUT");
  AssertText(f.http.requests[0].url, f.pcaps);
  AssertText(f.http.requests[1].url, id);
  AssertText(f.http.requests[2].url, id + "/download");
  AssertText(HeaderOf(f.http.requests[2], "Accept"), "application/vnd.tcpdump.pcap");
  AssertText(f.http.requests[3].url, id + "/stop");
  for (const http::HttpRequest& request : f.http.requests) {
    AssertText(HeaderOf(request, "Authorization"), "Bearer " + std::string(kTestToken));
    AssertText(HeaderOf(request, "X-Auth-Key"), "(none)");
    AssertText(request.body, "");
    AssertLacks(request.url, kTestToken);
  }
}

void TheTokensOwnIdIsAskedFor(void**) {
  ApiFixture f;
  const std::string base = "https://api.example/client/v4";
  f.http.Answer("GET", base + "/user/tokens/verify",
                Ok(R"({"id":"of-the-user","status":"active"})"));
  AssertText(ValueOf(f.api.TokenId("acc9", f.ForSeconds(5))), "of-the-user");
  AssertText(HeaderOf(f.http.requests[0], "Authorization"), "Bearer " + std::string(kTestToken));

  // A token that belongs to an account is not known to the first path.
  ApiFixture other;
  other.http.Answer("GET", base + "/user/tokens/verify",
                    {.status = 401, .body = Refusal("1000", "Invalid API Token")});
  other.http.Answer("GET", base + "/accounts/acc9/tokens/verify",
                    Ok(R"({"id":"of-the-account","status":"active"})"));
  AssertText(ValueOf(other.api.TokenId("acc9", other.ForSeconds(5))), "of-the-account");
  assert_int_equal(other.CountOf("GET"), 2);

  ApiFixture odd;
  odd.http.Answer("GET", "*", Ok("{}"));
  AssertFails(odd.api.TokenId("acc9", odd.ForSeconds(5)), Error::Kind::kFinal,
              "does not say the ID of the API token");
  ApiFixture down;
  down.http.Answer("GET", "*", Lost());
  AssertFails(down.api.TokenId("acc9", down.ForSeconds(5)), Error::Kind::kPassing, "reset");
}

void EMailAndKeyAreTheOtherForm(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", Ok("[]"));
  PcapsApi api(http, loop,
               {.base_url = "https://a.example",
                .account_id = "x",
                .token = {},
                .email = "me@example.com",
                .key = "key0123456789"});
  AssertGood(api.List({.retry_budget = 1s, .stop = [] { return false; }}));
  AssertText(HeaderOf(http.requests[0], "X-Auth-Email"), "me@example.com");
  AssertText(HeaderOf(http.requests[0], "X-Auth-Key"), "key0123456789");
  AssertText(HeaderOf(http.requests[0], "Authorization"), "(none)");
}

void TheListIsNewestFirst(void**) {
  ApiFixture f;
  const auto job = [](const char* id, const char* submitted) {
    return R"({"id":")" + std::string(id) + R"(","submitted":)" + submitted + "}";
  };
  f.http.Answer("GET", "*",
                Ok(JsonArray({job("a", R"("2026-11-23T06:00:00Z")"), job("b", "null"),
                              job("c", R"("2026-11-23T06:00:00.5Z")"),
                              job("d", R"("2026-11-23T09:00:00+04:00")"), job("e", R"("soon")")})));
  std::string order;
  for (const PcapJob& listed : ValueOf(f.api.List(f.ForSeconds(5)))) order += listed.id;
  AssertText(order, "cadbe");
}

void AListMayBeNullOrHoldAnything(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok("null"));
  f.http.Answer("GET", "*", Ok(R"([null,7,"x",{},{"id":"a"}])"));
  assert_true(ValueOf(f.api.List(f.ForSeconds(5))).empty());
  assert_int_equal(ValueOf(f.api.List(f.ForSeconds(5))).size(), 2);  // the objects
}

void AListIsBounded(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JsonArray(std::vector<std::string>(1000, "{}"))));
  f.http.Answer("GET", "*", Ok(JsonArray(std::vector<std::string>(1001, "{}"))));
  assert_int_equal(ValueOf(f.api.List(f.ForSeconds(5))).size(), 1000);
  AssertFails(f.api.List(f.ForSeconds(5)), Error::Kind::kFinal, "more than 1000 captures");
}

/// jansson takes a hundred bytes for a value of two: they are counted before it reads them.
void ValuesAreCountedBeforeTheyAreRead(void**) {
  ApiFixture f;
  std::string zeros = "[0";
  for (int i = 0; i < 2'000'000; ++i) zeros += ",0";
  f.http.Answer("GET", "*", Ok(zeros + "]"));
  AssertFails(f.api.List(f.ForSeconds(0)), Error::Kind::kFinal,
              "answered with more JSON values than make sense");
}

/// What is not a list must not be taken for "no captures": a POST might follow.
void AListThatIsNoneIsAnError(void**) {
  for (const char* result : {"{}", "7", R"("none")", "true"}) {
    ApiFixture f;
    f.http.Answer("GET", "*", Ok(result));
    AssertFails(f.api.List(f.ForSeconds(0)), Error::Kind::kPassing,
                "cannot list the captures: api.example answered without a list");
  }
}

void AnIdThatIsNoneIsRefusedUnasked(void**) {
  ApiFixture f;
  const Patience patience = f.ForSeconds(5);
  for (const char* bad : {"", "ownership", "../../user", "a b"}) {
    AssertFails(f.api.Get(bad, patience), Error::Kind::kUsage, "is not the ID of a capture");
    AssertFails(f.api.DownloadSample(bad, patience), Error::Kind::kUsage,
                "is not the ID of a capture");
    AssertFails(f.api.Stop(bad, patience), Error::Kind::kUsage, "is not the ID of a capture");
  }
  assert_true(f.http.requests.empty());
}

/// The id becomes part of paths and file names: the one that was asked for is kept.
void TheAnswersIdIsTheOneAskedFor(void**) {
  for (const char* answer : {"{}", R"({"id":"../../etc"})", R"({"id":"ownership"})"}) {
    ApiFixture f;
    f.http.Answer("GET", "*", Ok(answer));
    AssertText(ValueOf(f.api.Get(kTestId, f.ForSeconds(5))).id, kTestId);
  }
}

void TransientFaultsOfAGetAreRepeated(void**) {
  std::vector<FakeAnswer> faults = {Lost(),
                                    {.body = "<html>proxy</html>"},
                                    {.body = ""},
                                    {.body = Envelope("[]"), .cut_at = 10},
                                    {.body = Envelope("[]"), .cut_at = 0}};
  for (const int status : {408, 429, 500, 502, 503, 504}) faults.push_back({.status = status});
  for (const FakeAnswer& fault : faults) {
    ApiFixture f;
    f.http.Answer("GET", "*", fault);
    f.http.Answer("GET", "*", fault);
    f.http.Answer("GET", "*", Ok("[]"));
    AssertGood(f.api.List(f.ForSeconds(5)));
    AssertText(f.Methods(), "GET GET GET");
    assert_true(f.loop.Steady().time_since_epoch() >= 1500ms);
  }
}

void OtherStatusesAreNotRepeated(void**) {
  for (const int status : {301, 400, 401, 403, 404, 405, 410, 422}) {
    ApiFixture f;
    f.http.Answer("GET", "*", {.status = status, .body = Refusal("1", "no")});
    AssertFails(f.api.List(f.ForSeconds(600)), Error::Kind::kFinal,
                "answered HTTP " + std::to_string(status));
    assert_int_equal(f.http.requests.size(), 1);
  }
}

void AStallIsAFault(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.body = Envelope("[]"), .stall_at = 5});
  f.http.Answer("GET", "*", Ok("[]"));
  AssertGood(f.api.List(f.ForSeconds(60)));
  assert_true(f.Elapsed() >= 30 && f.Elapsed() < 40);
}

void RetryAfterIsHonoured(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 429, .headers = {{"retry-after", "17"}}});
  f.http.Answer("GET", "*", Ok("[]"));
  AssertGood(f.api.List(f.ForSeconds(60)));
  assert_int_equal(f.Elapsed(), 17);
}

void ARetryAfterOfAnEarlierAnswerIsForgotten(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 429, .headers = {{"retry-after", "17"}}});
  f.http.Answer("GET", "*", {.status = 503});
  f.http.Answer("GET", "*", Ok("[]"));
  AssertGood(f.api.List(f.ForSeconds(60)));
  assert_true(f.Elapsed() < 20);
}

void ARetryAfterBeyondThePatienceFailsAtOnce(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 429, .headers = {{"retry-after", "301"}}});
  AssertFails(f.api.List(f.ForSeconds(5)), Error::Kind::kPassing, "wait a few minutes");
  assert_int_equal(f.Elapsed(), 0);
}

void ThePatienceEnds(void**) {
  for (const int seconds : {0, 5, 600}) {
    ApiFixture f;
    f.http.Answer("GET", "*", {.status = 503});
    AssertFails(f.api.List(f.ForSeconds(seconds)), Error::Kind::kPassing, "answered HTTP 503");
    assert_true(f.Elapsed() <= seconds);
    if (seconds == 600) assert_true(f.Elapsed() > 570);
  }
}

void AStopEndsTheWaitForTheNextTry(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 503, .headers = {{"retry-after", "60"}}});
  f.loop.CallAt(f.loop.Steady() + 10s, [&] { f.stopped = true; });
  AssertFails(f.api.List(f.ForSeconds(600)), Error::Kind::kInterrupted, "stopped");
  assert_int_equal(f.Elapsed(), 10);
}

void AStopEndsATransfer(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.body = Envelope("[]"), .delay = 60s});
  f.loop.CallAt(f.loop.Steady() + 10s, [&] { f.stopped = true; });
  AssertFails(f.api.List(f.ForSeconds(600)), Error::Kind::kInterrupted, "");
  assert_int_equal(f.http.cancelled, 1);
}

void TheFileOfASampleComesAsItIs(void**) {
  ApiFixture f;
  const std::string bytes("\xd4\xc3\xb2\xa1\0\0\xff\n", 8);
  f.http.Answer("GET", "*/download", {.body = bytes, .end_is_certain = false, .piece = 3});
  const PcapsApi::Download download = ValueOf(f.api.DownloadSample(kTestId, f.ForSeconds(5)));
  assert_true(download.bytes == bytes);
  assert_false(download.end_is_certain);
}

void AFileThatIsNotThereYetIsAwaited(void**) {
  for (const int status : {404, 409, 425}) {
    ApiFixture f;
    f.http.Answer("GET", "*/download", {.status = status});
    f.http.Answer("GET", "*/download", {.status = status});
    f.http.Answer("GET", "*/download", {.body = "pcap"});
    AssertText(ValueOf(f.api.DownloadSample(kTestId, f.ForSeconds(600))).bytes, "pcap");
  }
}

void AFileThatNeverComesIsAnError(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*/download", {.status = 404, .body = Refusal("1", "gone")});
  AssertFails(f.api.DownloadSample(kTestId, f.ForSeconds(600)), Error::Kind::kFinal,
              "cannot download the capture: api.example answered HTTP 404: code 1, gone");
  assert_true(f.Elapsed() >= 30 && f.Elapsed() < 60);
}

void ABrokenDownloadIsRepeated(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*/download", {.body = "half of it", .cut_at = 4});
  f.http.Answer("GET", "*/download", {.body = "all of it"});
  AssertText(ValueOf(f.api.DownloadSample(kTestId, f.ForSeconds(5))).bytes, "all of it");
}

void AnEndlessDownloadIsEnded(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*/download",
                {.body = std::string((std::size_t{64} << 20) + 1, 'x'), .piece = 1 << 20});
  AssertFails(f.api.DownloadSample(kTestId, f.ForSeconds(600)), Error::Kind::kFinal, "too large");
}

void StopTakesAnySuccess(void**) {
  for (const int status : {200, 202, 204}) {
    ApiFixture f;
    f.http.Answer("PUT", "*/stop", {.status = status});
    AssertGood(f.api.Stop(kTestId, f.ForSeconds(3)));
  }
  ApiFixture f;
  f.http.Answer("PUT", "*/stop", {.status = 404, .body = Refusal("7", "no such capture")});
  AssertFails(f.api.Stop(kTestId, f.ForSeconds(3)), Error::Kind::kFinal,
              "cannot stop the capture: api.example answered HTTP 404: code 7, no such capture");
}

/// Servers and faults that repeat what was sent.
void NoErrorTellsASecret(void**) {
  RegisterSecret(kTestToken);
  for (const int status : {200, 400, 403, 500}) {
    ApiFixture f;
    const std::string echo = "bad token Bearer " + std::string(kTestToken) + "!";
    for (const char* method : {"GET", "PUT"}) {
      f.http.Answer(method, "*", {.status = status, .body = Refusal("1", echo)});
    }
    const Patience patience = f.ForSeconds(1);
    AssertLacks(SentenceOf(ErrorOf(f.api.List(patience))), kTestToken);
    AssertLacks(SentenceOf(ErrorOf(f.api.Get(kTestId, patience))), kTestToken);
    if (status == 200) continue;
    AssertLacks(SentenceOf(ErrorOf(f.api.DownloadSample(kTestId, patience))), kTestToken);
    AssertLacks(SentenceOf(ErrorOf(f.api.Stop(kTestId, patience))), kTestToken);
  }
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachCallAsksWhatTheSchemaSays),
      cmocka_unit_test(TheTokensOwnIdIsAskedFor),
      cmocka_unit_test(EMailAndKeyAreTheOtherForm),
      cmocka_unit_test(TheListIsNewestFirst),
      cmocka_unit_test(AListMayBeNullOrHoldAnything),
      cmocka_unit_test(AListIsBounded),
      cmocka_unit_test(ValuesAreCountedBeforeTheyAreRead),
      cmocka_unit_test(AListThatIsNoneIsAnError),
      cmocka_unit_test(AnIdThatIsNoneIsRefusedUnasked),
      cmocka_unit_test(TheAnswersIdIsTheOneAskedFor),
      cmocka_unit_test(TransientFaultsOfAGetAreRepeated),
      cmocka_unit_test(OtherStatusesAreNotRepeated),
      cmocka_unit_test(AStallIsAFault),
      cmocka_unit_test(RetryAfterIsHonoured),
      cmocka_unit_test(ARetryAfterOfAnEarlierAnswerIsForgotten),
      cmocka_unit_test(ARetryAfterBeyondThePatienceFailsAtOnce),
      cmocka_unit_test(ThePatienceEnds),
      cmocka_unit_test(AStopEndsTheWaitForTheNextTry),
      cmocka_unit_test(AStopEndsATransfer),
      cmocka_unit_test(TheFileOfASampleComesAsItIs),
      cmocka_unit_test(AFileThatIsNotThereYetIsAwaited),
      cmocka_unit_test(AFileThatNeverComesIsAnError),
      cmocka_unit_test(ABrokenDownloadIsRepeated),
      cmocka_unit_test(AnEndlessDownloadIsEnded),
      cmocka_unit_test(StopTakesAnySuccess),
      cmocka_unit_test(NoErrorTellsASecret),
  };
  return cmocka_run_group_tests_name("pcaps_api", tests, nullptr, nullptr);
}
