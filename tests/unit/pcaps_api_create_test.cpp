// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"
#include "extcap/api/pcaps_api.h"
#include "tests/unit/api_fixture.h"

namespace cloudflaredump::api {
namespace {

using namespace std::chrono_literals;

PcapRequest Sample() {
  PcapRequest request;
  request.packet_limit = 100;
  request.filter_v1.protocol = 17;
  return request;
}

/// What the list shows of a capture that Sample() made.
std::string MadeJson(const std::string& id) {
  return JobJson(id, "pending", R"(,"time_limit":300,"filter_v1":{"protocol":17})");
}

PcapJob Known(const std::string& id) {
  PcapJob job;
  job.id = id;
  return job;
}

/// Creates with five seconds' patience, the list having shown `known` before.
Result<PcapJob> Create(ApiFixture& f, const std::vector<PcapJob>& known = {}) {
  return f.api.Create(Sample(), known, f.ForSeconds(5));
}

void ThePostCarriesTheRequest(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", Ok(MadeJson(kTestId)));
  AssertText(ValueOf(Create(f)).id, kTestId);
  AssertText(f.Methods(), "POST");
  const http::HttpRequest& post = f.http.requests[0];
  AssertText(post.url, f.pcaps);
  AssertText(post.body, WritePcapRequest(Sample()));
  const std::pair<std::string, std::string> json("Content-Type", "application/json");
  assert_int_equal(std::ranges::count(post.headers, json), 1);
}

/// Ways in which a POST may have worked although its answer is of no use.
std::vector<FakeAnswer> UselessAnswers() {
  return {Lost(),
          {.status = 500},
          {.status = 502, .body = "<html>"},
          {.status = 504},
          {.body = "<html>proxy</html>"},
          {.body = ""},
          {.body = Envelope("{}"), .cut_at = 7},
          {.body = Envelope("{}"), .stall_at = 0}};
}

/// Successes that name no id which could be used: a capture was made.
std::vector<FakeAnswer> NamelessAnswers() {
  return {Ok("null"),
          Ok(R"({"id":""})"),
          Ok(R"({"id":"ownership"})"),
          Ok(R"({"id":"../x"})"),
          Ok(R"({"id":7})"),
          {.body = R"({"success":true,"errors":[]})"},
          {.body = "[" + std::string(600'000, ',') + "]"},
          {.body = Envelope("{}"), .gap = 20s, .piece = 1}};
}

void ACaptureWhoseAnswerWasLostIsFound(void**) {
  for (const FakeAnswer& useless : UselessAnswers()) {
    ApiFixture f;
    f.http.Answer("POST", "*", useless);
    f.http.Answer("GET", "*", Ok(JsonArray({JobJson(kOtherId, "success"), MadeJson(kTestId)})));
    AssertText(ValueOf(Create(f)).id, kTestId);
    AssertText(f.Methods(), "POST GET");
  }
}

void ASuccessWithoutAUsableIdIsNeverPostedAgain(void**) {
  for (const FakeAnswer& nameless : NamelessAnswers()) {
    ApiFixture f;
    f.http.Answer("POST", "*", nameless);
    f.http.Answer("GET", "*", Ok("[]"));
    AssertFails(Create(f), Error::Kind::kPassing, "it may have been started all the same");
    assert_int_equal(f.CountOf("POST"), 1);
    ApiFixture listed;
    listed.http.Answer("POST", "*", nameless);
    listed.http.Answer("GET", "*", Ok(JsonArray({MadeJson(kTestId)})));
    AssertText(ValueOf(Create(listed)).id, kTestId);
  }
}

void OnlyAListWithoutItAllowsAnotherPost(void**) {
  for (const FakeAnswer& useless : UselessAnswers()) {
    ApiFixture f;
    f.http.Answer("POST", "*", useless);
    f.http.Answer("POST", "*", Ok(MadeJson(kTestId)));
    f.http.Answer("GET", "*", Ok(JsonArray({MadeJson(kOtherId)})));
    AssertText(ValueOf(Create(f, {Known(kOtherId)})).id, kTestId);
    // The list may lag behind for 15 s.
    AssertText(f.Methods(), "POST GET GET GET GET GET GET POST");
  }
}

void ACaptureOfAnotherKindIsNotTaken(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", Lost());
  f.http.Answer("POST", "*", Ok(MadeJson(kTestId)));
  f.http.Answer("GET", "*",
                Ok(JsonArray({JobJson("a1", "pending", R"(,"filter_v1":{"protocol":6})"),
                              JobJson("a2", "pending", R"(,"time_limit":60)"), R"({"id":"a3"})",
                              MadeJson("../x"), "null"})));
  AssertText(ValueOf(Create(f)).id, kTestId);
}

void AListThatLagsBehindIsAskedAgain(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", Lost());
  f.http.Answer("GET", "*", Ok("[]"));
  f.http.Answer("GET", "*", Ok(JsonArray({MadeJson(kTestId)})));
  AssertText(ValueOf(Create(f)).id, kTestId);
  AssertText(f.Methods(), "POST GET GET");
}

/// The list is the only way to know; without it nothing is repeated, and the user is told.
void WithoutAListThePostIsNotRepeated(void**) {
  for (const FakeAnswer& list :
       {Lost(), FakeAnswer{.status = 503}, FakeAnswer{.status = 403}, Ok("{}"), Ok("7"),
        FakeAnswer{.body = "<html>"}, FakeAnswer{.body = Envelope("[]"), .cut_at = 3}}) {
    ApiFixture f;
    f.http.Answer("POST", "*", Lost());
    f.http.Answer("GET", "*", list);
    const Result<PcapJob> job = Create(f);
    AssertContains(SentenceOf(ErrorOf(job)), "the connection was reset");
    AssertContains(SentenceOf(ErrorOf(job)),
                   "it may have been started all the same; see: cloudflaredump list");
    assert_int_equal(f.CountOf("POST"), 1);
    assert_true(f.Elapsed() <= 5);
  }
}

void RefusalsAreFinal(void**) {
  for (const int status : {400, 401, 403, 404, 409, 422}) {
    ApiFixture f;
    f.http.Answer("POST", "*", {.status = status, .body = Refusal("9", "colo is not known")});
    AssertFails(Create(f), Error::Kind::kFinal, "code 9, colo is not known");
    AssertText(f.Methods(), "POST");
  }
}

PcapRequest Full() {
  PcapRequest request;
  request.type = PcapRequest::Type::kFull;
  request.colo = "ORD";
  request.destination_conf = "s3://bucket?region=us-east-1";
  return request;
}

/// Creates a full capture on a server that refuses once with `message`; the bodies of the POSTs.
std::vector<std::string> BodiesAfter(const std::string& message) {
  ApiFixture f;
  f.http.Answer("POST", "*", {.status = 400, .body = Refusal("1001", message)});
  f.http.Answer("POST", "*", Ok(JobJson(kTestId, "pending")));
  (void)f.api.Create(Full(), {}, f.ForSeconds(5));
  std::vector<std::string> bodies;
  for (const http::HttpRequest& request : f.http.requests) bodies.push_back(request.body);
  return bodies;
}

/// Cloudflare's pages and its schema disagree on the name of the data center.
void ARefusedNameOfTheDataCenterIsLeftOut(void**) {
  const std::vector<std::string> without_colo = BodiesAfter("unknown field colo");
  assert_int_equal(without_colo.size(), 2);
  AssertContains(without_colo[0], R"("colo":"ORD","colo_name":"ORD")");
  AssertLacks(without_colo[1], R"("colo":)");
  AssertContains(without_colo[1], R"("colo_name":"ORD")");

  const std::vector<std::string> without_colo_name = BodiesAfter("unknown field colo_name");
  assert_int_equal(without_colo_name.size(), 2);
  AssertContains(without_colo_name[1], R"("colo":"ORD")");
  AssertLacks(without_colo_name[1], "colo_name");

  assert_int_equal(BodiesAfter("unknown field destination_conf").size(), 1);
}

void TheSecondRefusalOfTheDataCenterIsFinal(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", {.status = 400, .body = Refusal("1001", "no such colo")});
  AssertFails(f.api.Create(Full(), {}, f.ForSeconds(5)), Error::Kind::kFinal, "no such colo");
  AssertText(f.Methods(), "POST POST");
}

void RetryAfterIsHonoured(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", {.status = 429, .headers = {{"retry-after", "4"}}});
  f.http.Answer("POST", "*", Ok(MadeJson(kTestId)));
  f.http.Answer("GET", "*", Ok("[]"));
  AssertText(ValueOf(Create(f)).id, kTestId);
  assert_int_equal(f.Elapsed(), 4);
}

void ThePatienceEnds(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", {.status = 500});
  f.http.Answer("GET", "*", Ok("[]"));
  AssertFails(Create(f), Error::Kind::kPassing,
              "cannot start the capture: api.example answered HTTP 500");
  assert_true(f.CountOf("POST") >= 3);
  assert_true(f.Elapsed() <= 120);
}

void AStopEndsThePost(void**) {
  ApiFixture f;
  f.http.Answer("POST", "*", {.body = Envelope(MadeJson(kTestId)), .delay = 60s});
  f.loop.CallAt(f.loop.Steady() + 3s, [&] { f.stopped = true; });
  AssertFails(Create(f), Error::Kind::kInterrupted, "");
  AssertText(f.Methods(), "POST");
}

void AStopEndsTheSearchAndTheWait(void**) {
  for (const FakeAnswer& list : {Ok("[]"), FakeAnswer{.body = Envelope("[]"), .delay = 60s}}) {
    ApiFixture f;
    f.http.Answer("POST", "*", {.status = 503, .headers = {{"retry-after", "4"}}});
    f.http.Answer("GET", "*", list);
    f.loop.CallAt(f.loop.Steady() + 3s, [&] { f.stopped = true; });
    AssertFails(Create(f), Error::Kind::kInterrupted, "");
    AssertText(f.Methods(), "POST GET");
    assert_int_equal(f.Elapsed(), 3);
  }
}

void NoErrorTellsASecret(void**) {
  RegisterSecret(kTestToken);
  ApiFixture f;
  f.http.Answer(
      "POST", "*",
      {.status = 400, .body = Refusal("6003", "headers: Bearer " + std::string(kTestToken))});
  AssertLacks(SentenceOf(ErrorOf(Create(f))), kTestToken);
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ThePostCarriesTheRequest),
      cmocka_unit_test(ACaptureWhoseAnswerWasLostIsFound),
      cmocka_unit_test(ASuccessWithoutAUsableIdIsNeverPostedAgain),
      cmocka_unit_test(OnlyAListWithoutItAllowsAnotherPost),
      cmocka_unit_test(ACaptureOfAnotherKindIsNotTaken),
      cmocka_unit_test(AListThatLagsBehindIsAskedAgain),
      cmocka_unit_test(WithoutAListThePostIsNotRepeated),
      cmocka_unit_test(RefusalsAreFinal),
      cmocka_unit_test(ARefusedNameOfTheDataCenterIsLeftOut),
      cmocka_unit_test(TheSecondRefusalOfTheDataCenterIsFinal),
      cmocka_unit_test(RetryAfterIsHonoured),
      cmocka_unit_test(ThePatienceEnds),
      cmocka_unit_test(AStopEndsThePost),
      cmocka_unit_test(AStopEndsTheSearchAndTheWait),
      cmocka_unit_test(NoErrorTellsASecret),
  };
  return cmocka_run_group_tests_name("pcaps_api_create", tests, nullptr, nullptr);
}
