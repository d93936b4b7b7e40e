// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/http.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::http {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

void WholeAnswerIsGathered(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "https://a.test/*",
              {.status = 404, .body = "gone", .headers = {{"cf-ray", "1"}}, .piece = 1});
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/x"), kGoOn);
  assert_true(answer.has_value());
  assert_int_equal(answer->head.status, 404);
  AssertText(answer->body, "gone");
  AssertText(*answer->head.Find("cf-ray"), "1");
  assert_null(answer->head.Find("x"));
  assert_true(answer->end.end_is_certain);
}

void FaultComesThrough(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", {.body = "abcdef", .cut_at = 3});
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/"), kGoOn);
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kPassing);
}

void StopCancelsTheTransfer(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", {.body = "late", .delay = 20s});
  bool stop = false;
  loop.CallAt(loop.Steady() + 2s, [&] { stop = true; });
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/"), [&] { return stop; });
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kInterrupted);
  assert_true(loop.Steady() - system::SteadyTime() == 2s);
  assert_int_equal(http.cancelled, 1);
  assert_int_equal(http.active(), 0);
}

/// One byte every 15 s is no stall, and would never end.
void AnAnswerThatTricklesEnds(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", {.body = std::string(10000, 'x'), .gap = 15s, .piece = 1});
  HttpRequest request = Get("https://a.test/");
  request.max_body = std::size_t{8} << 20;
  const Result<HttpAnswer> answer = Fetch(http, loop, request, kGoOn);
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kFinal);
  AssertText(answer.error().what, "a.test did not finish its answer within 3 min 8 s");
  assert_true(loop.Steady() - system::SteadyTime() == 188s);
  assert_int_equal(http.active(), 0);
}

void StopBeforeTheStartSendsNothing(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/"), [] { return true; });
  assert_true(answer.error().kind == Error::Kind::kInterrupted);
  assert_int_equal(http.requests.size(), 0);
}

void AnAnswerThatCameWithTheStopIsKept(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("PUT", "*", {.status = 204});
  HttpRequest request = Get("https://a.test/stop");
  request.method = "PUT";
  // Says stop at the very moment at which the answer is whole.
  const Result<HttpAnswer> answer =
      Fetch(http, loop, request, [&] { return !http.requests.empty() && http.active() == 0; });
  assert_true(answer.has_value());
  assert_int_equal(answer->head.status, 204);
}

void StallEndsAfterItsLimit(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", {.body = "abcdef", .stall_at = 3});
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/"), kGoOn);
  assert_true(answer.error().kind == Error::Kind::kPassing);
  assert_true(loop.Steady() - system::SteadyTime() == 30s);
}

void UnscriptedRequestIsNamed(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  const Result<HttpAnswer> answer = Fetch(http, loop, Get("https://a.test/what"), kGoOn);
  AssertContains(SentenceOf(answer.error()), "GET https://a.test/what");
}

void ScriptedAnswersFollowEachOther(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("GET", "*", {.status = 503});
  http.Answer("GET", "*", {.status = 200});
  for (const int status : {503, 200, 200}) {
    assert_int_equal(Fetch(http, loop, Get("https://a.test/"), kGoOn)->head.status, status);
  }
}

void LoopbackIsToldFromTheRest(void**) {
  for (const char* const url :
       {"http://127.0.0.1/", "http://127.0.0.1:8080/a?b", "https://127.8.9.10/", "http://[::1]:1/",
        "http://localhost/", "http://LOCALHOST:99", "http://127.1/", "http://2130706433/"}) {
    if (!IsLoopbackUrl(url)) fail_msg("%s is loopback", url);
  }
  for (const char* const url :
       {"http://127.0.0.1.evil.test/", "http://localhost.evil.test/", "http://128.0.0.1/",
        "http://127.0.0.1@evil.test/", "http://[::2]/", "http://evil.test/?127.0.0.1",
        "ftp://127.0.0.1/", "file:///etc/passwd", "", "localhost", "http://",
        "http://[::ffff:127.0.0.1]/", "http://evil.test#@127.0.0.1/"}) {
    if (IsLoopbackUrl(url)) fail_msg("%s is not loopback", url);
  }
}

void HostOfShowsNothingElse(void**) {
  AssertText(HostOf("https://user:secret@api.test:8443/path?token=secret"), "api.test:8443");
  AssertText(HostOf("https://api.test/path"), "api.test");
  AssertText(HostOf("https://[::1]:1/"), "[::1]:1");
  AssertText(HostOf("not a url secret"), "the server");
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WholeAnswerIsGathered),
      cmocka_unit_test(FaultComesThrough),
      cmocka_unit_test(StopCancelsTheTransfer),
      cmocka_unit_test(AnAnswerThatTricklesEnds),
      cmocka_unit_test(StopBeforeTheStartSendsNothing),
      cmocka_unit_test(AnAnswerThatCameWithTheStopIsKept),
      cmocka_unit_test(StallEndsAfterItsLimit),
      cmocka_unit_test(UnscriptedRequestIsNamed),
      cmocka_unit_test(ScriptedAnswersFollowEachOther),
      cmocka_unit_test(LoopbackIsToldFromTheRest),
      cmocka_unit_test(HostOfShowsNothingElse),
  };
  return cmocka_run_group_tests_name("fetch", tests, nullptr, nullptr);
}
