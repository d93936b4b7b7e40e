// SPDX-License-Identifier: GPL-2.0-or-later
// CurlHttp against servers on loopback that behave.
#include <netdb.h>

#include <algorithm>
#include <deque>

#include "extcap/http/curl_http.h"
#include "extcap/system/glib_event_loop.h"
#include "tests/unit/http_recorder.h"
#include "tests/unit/raw_server.h"
#include "tests/unit/results.h"

namespace cloudflaredump::http {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

HttpRequest Request(const std::string& url, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.url = url;
  return request;
}

/// Answers each request with its own text as the body.
void Echo(RawConnection& connection) {
  for (std::string request; !(request = connection.ReadRequest()).empty();) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.size()) +
                    "\r\nX-Odd:  a  \r\n\r\n" + request);
  }
}

/// What reaches a server for `request`.
std::string Sent(HttpRequest request, const std::string& path = "/") {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server(Echo);
  request.url = server.Url(path);
  return ValueOf(Fetch(http, loop, std::move(request), kGoOn)).body;
}

void GetSendsWhatWasAsked(void**) {
  HttpRequest request;
  request.headers = {{"Authorization", "Bearer abc"}, {"X-Empty", ""}};
  const std::string sent = Sent(request, "/a/../b/./c?x=%2F&y");
  AssertContains(sent, "GET /a/../b/./c?x=%2F&y HTTP/1.1\r\n");
  AssertContains(sent, "\r\nAuthorization: Bearer abc\r\n");
  AssertContains(sent, "\r\nX-Empty:\r\n");
  AssertContains(sent, "\r\nUser-Agent: cloudflaredump/");
  AssertLacks(sent, "Accept-Encoding");
}

void AnswerIsRead(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server(Echo);
  HttpRecorder recorder;
  const Http::Transfer transfer = http.Start(Request(server.Url()), recorder);
  assert_true(transfer > 0);
  assert_false(recorder.head.has_value());
  assert_true(loop.RunUntil([&] { return recorder.end.has_value(); }, loop.Steady() + 20s));
  assert_int_equal(recorder.head->status, 200);
  AssertText(*recorder.head->Find("x-odd"), "a");
  assert_true(recorder.end->has_value());
  assert_true((*recorder.end)->end_is_certain);
}

void BodiesOfPostAndPutAreSentWithoutExpect(void**) {
  HttpRequest request = Request("", "POST");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::string(2 << 20, 'x');
  const std::string post = Sent(request);
  AssertContains(post, "POST / HTTP/1.1\r\n");
  AssertContains(post, "\r\nContent-Length: 2097152\r\n");
  AssertContains(post, "\r\nContent-Type: application/json\r\n");
  AssertLacks(post, "Expect");
  assert_true(post.ends_with("\r\n\r\n" + request.body));
  const std::string put = Sent(Request("", "PUT"));
  AssertContains(put, "PUT / HTTP/1.1\r\n");
  AssertContains(put, "\r\nContent-Length: 0\r\n");
  AssertLacks(put, "Content-Type");
  AssertContains(Sent(Request("", "DELETE")), "DELETE / HTTP/1.1\r\n");
}

void RedirectsAreAnswers(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer other(Echo);
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 302 Found\r\nLocation: " + other.Url() +
                    "\r\nContent-Length: 0\r\n\r\n");
  });
  const Result<HttpAnswer> answer = Fetch(http, loop, Request(server.Url()), kGoOn);
  assert_int_equal(answer->head.status, 302);
  AssertText(*answer->head.Find("location"), other.Url());
  assert_int_equal(other.connections(), 0);
}

void InterimAnswersAreNotShown(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const Result<HttpAnswer> answer = Fetch(http, loop, Request(server.Url()), kGoOn);
  assert_int_equal(answer->head.status, 200);
  assert_null(answer->head.Find("link"));
  AssertText(answer->body, "ok");
}

/// Whether the end of a body that came with `head` is certain.
bool IsCertain(const std::string& head, const std::string& body,
               const std::string& method = "GET") {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send(head + "\r\n" + body);
  });
  const Result<HttpAnswer> answer = Fetch(http, loop, Request(server.Url(), method), kGoOn);
  if (!answer) fail_msg("%s", SentenceOf(answer.error()).c_str());
  return answer->end.end_is_certain;
}

void CertaintyOfTheEndIsTold(void**) {
  assert_true(IsCertain("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n", "x"));
  assert_true(
      IsCertain("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n", "1\r\nx\r\n0\r\n\r\n"));
  assert_true(IsCertain("HTTP/1.1 204 No Content\r\n", ""));
  assert_true(IsCertain("HTTP/1.1 200 OK\r\n", "", "HEAD"));
  assert_false(IsCertain("HTTP/1.1 200 OK\r\n", "x"));
  assert_false(IsCertain("HTTP/1.0 200 OK\r\n", "x"));
}

void TrailersAndFoldedHeadersAreTaken(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: one\r\n  two\r\n\r\n"
        "3\r\nabc\r\n0\r\nX-Late: y\r\n\r\n");
  });
  const Result<HttpAnswer> answer = Fetch(http, loop, Request(server.Url()), kGoOn);
  AssertText(answer->body, "abc");
  AssertText(*answer->head.Find("x-a"), "one two");
  assert_null(answer->head.Find("x-late"));
}

void ConnectionsAreUsedAgain(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server(Echo);
  for (int i = 0; i < 5; ++i) {
    assert_true(Fetch(http, loop, Request(server.Url()), kGoOn).has_value());
  }
  assert_int_equal(server.connections(), 1);
}

void ALeftPostIsNotSentTwice(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  std::atomic<int> posts = 0;
  RawServer server([&](RawConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();) {
      if (request.starts_with("POST")) {
        ++posts;
        return;
      }
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  assert_true(Fetch(http, loop, Request(server.Url()), kGoOn).has_value());
  const Result<HttpAnswer> answer = Fetch(http, loop, Request(server.Url(), "POST"), kGoOn);
  assert_true(answer.error().kind == Error::Kind::kPassing);
  assert_int_equal(posts, 1);
}

void ManyTransfersRunAtOnce(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                      std::string(100000, 'y'));
    }
  });
  std::deque<HttpRecorder> recorders(40);
  for (HttpRecorder& recorder : recorders) http.Start(Request(server.Url()), recorder);
  const auto all = [&] {
    return std::ranges::all_of(recorders, [](const auto& one) { return one.end.has_value(); });
  };
  assert_true(loop.RunUntil(all, loop.Steady() + 60s));
  for (const HttpRecorder& recorder : recorders) {
    assert_true(recorder.end->has_value());
    assert_int_equal(recorder.body.size(), 100000);
  }
}

void ReceiversMayCancelAndStartAnywhere(void**) {
  for (const int where : {0, 1, 2}) {
    system::GlibEventLoop loop;
    CurlHttp http(loop);
    RawServer server(Echo);
    HttpRecorder first;
    HttpRecorder second;
    Http::Transfer transfer = 0;
    const auto act = [&] {
      http.Cancel(transfer);
      http.Start(Request(server.Url()), second);
    };
    if (where == 0) first.on_head = act;
    if (where == 1) first.on_body = [&]() -> Result<void> { return act(), Result<void>(); };
    if (where == 2) first.on_end = act;
    transfer = http.Start(Request(server.Url()), first);
    assert_true(loop.RunUntil([&] { return second.end.has_value(); }, loop.Steady() + 20s));
    assert_true(second.end->has_value());
    assert_int_equal(first.end.has_value(), where == 2);
  }
}

void ReceiversErrorComesBack(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server(Echo);
  HttpRecorder recorder;
  recorder.on_body = [] { return Fail("disk full"); };
  http.Start(Request(server.Url()), recorder);
  assert_true(loop.RunUntil([&] { return recorder.end.has_value(); }, loop.Steady() + 20s));
  AssertText(ClauseOf(recorder.error()), "disk full");
}

void OnEndMayRunTheLoop(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server(Echo);
  HttpRecorder recorder;
  std::optional<Result<HttpAnswer>> inner;
  recorder.on_end = [&] { inner = Fetch(http, loop, Request(server.Url()), kGoOn); };
  http.Start(Request(server.Url()), recorder);
  assert_true(loop.RunUntil([&] { return inner.has_value(); }, loop.Steady() + 20s));
  assert_true(inner->has_value());
}

void DestructionEndsTransfersQuietly(void**) {
  system::GlibEventLoop loop;
  RawServer server([](RawConnection& connection) { connection.WaitForClose(); });
  HttpRecorder recorder;
  {
    CurlHttp http(loop);
    http.Start(Request(server.Url()), recorder);
    loop.RunUntil([&] { return server.connections() > 0; }, loop.Steady() + 5s);
    http.Start(Request(server.Url()), recorder);
  }
  loop.RunUntil(kGoOn, loop.Steady() + 20ms);
  assert_false(recorder.end.has_value());
}

void ProxyIsNotUsedForPlainHttp(void**) {
  RawServer proxy(Echo);
  setenv("http_proxy", proxy.Url().c_str(), 1);
  setenv("ALL_PROXY", proxy.Url().c_str(), 1);
  AssertContains(Sent(HttpRequest()), "GET / HTTP/1.1\r\n");
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  assert_int_equal(proxy.connections(), 0);
}

void HttpsGoesThroughTheProxyThatIsNamed(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  std::string asked;
  RawServer proxy([&](RawConnection& connection) {
    asked = connection.ReadRequest();
    connection.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  setenv("HTTPS_PROXY", proxy.Url().c_str(), 1);
  HttpRequest request = Request("https://api.cloudflare.test/client?secret=1");
  request.headers = {{"Authorization", "Bearer secret"}};
  const Result<HttpAnswer> answer = Fetch(http, loop, request, kGoOn);
  unsetenv("HTTPS_PROXY");
  assert_false(answer.has_value());
  AssertContains(SentenceOf(answer.error()), "api.cloudflare.test");
  AssertLacks(SentenceOf(answer.error()), "secret");
  AssertContains(asked, "CONNECT api.cloudflare.test:443 HTTP/1.1\r\n");
  AssertLacks(asked, "secret");
}

HttpRequest Signed(const std::string& token = "") {
  HttpRequest request;
  request.sigv4 = SigV4Keys{.access_key_id = "AKIAEXAMPLE",
                            .secret_access_key = "wJalr/secret",
                            .session_token = token,
                            .region = "eu-west-3"};
  return request;
}

void SignedRequestHasItsScopeAndHash(void**) {
  const std::string sent = Sent(Signed("session"), "/bucket/a%20b?list-type=2&prefix=x");
  AssertContains(sent, "GET /bucket/a%20b?list-type=2&prefix=x HTTP/1.1\r\n");
  AssertContains(sent, "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/");
  AssertContains(sent, "/eu-west-3/s3/aws4_request, SignedHeaders=");
  AssertContains(sent, "host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
  AssertContains(sent,
                 "x-amz-content-sha256: "
                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n");
  AssertContains(sent, "x-amz-security-token: session\r\n");
  AssertLacks(sent, "wJalr");
}

void SignedRequestSignsItsOwnHeaders(void**) {
  HttpRequest request = Signed();
  request.headers = {{"Range", "bytes=5-"}, {"If-Match", "\"etag\""}};
  const std::string sent = Sent(request);
  AssertContains(sent, "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, ");
  AssertLacks(sent, "x-amz-security-token");
}

/// The sentence with which `request` is refused before anything is sent.
std::string Refusal(const HttpRequest& request) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  const Result<HttpAnswer> answer = Fetch(http, loop, request, kGoOn);
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kFinal);
  AssertLacks(SentenceOf(answer.error()), "secret");
  return SentenceOf(answer.error());
}

void WhatMustNotBeSentIsRefused(void**) {
  AssertContains(Refusal(Request("http://api.test/?key=secret")), "in the clear; use https");
  AssertContains(Refusal(Request("http://127.0.0.1@api.test/secret")), "http://api.test is not");
  AssertContains(Refusal(Request("ftp://api.test/secret")), "not ftp://");
  AssertContains(Refusal(Request("file:///etc/secret")), "https://");
  AssertContains(Refusal(Request("https://a b/secret")), "not a valid URL");
  AssertContains(Refusal(Request("https://a.test/\r\nsecret")), "not a valid URL");
  HttpRequest request = Request("https://127.0.0.1:1/");
  request.headers = {{"Authorization", "Bearer secret\r\nX: y"}};
  AssertContains(Refusal(request), "header Authorization holds a line break");
  for (const char* const path : {"/b/../k", "/b/./k", "/b/k/..", "/b/%2e%2E/k"}) {
    HttpRequest dots = Signed();
    dots.url = std::string("https://127.0.0.1:1") + path;
    AssertContains(Refusal(dots), "another path");
  }
  HttpRequest region = Signed();
  region.url = "https://127.0.0.1:1/";
  region.sigv4->region = "eu:west";
  AssertContains(Refusal(region), "\"eu:west\" is not a region's name");
  region.sigv4->region = "eu-west-3";
  region.sigv4->session_token = "secret\nX: y";
  AssertContains(Refusal(region), "line break");
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  for (const char* const variable :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
        "NO_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    unsetenv(variable);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(GetSendsWhatWasAsked),
      cmocka_unit_test(AnswerIsRead),
      cmocka_unit_test(BodiesOfPostAndPutAreSentWithoutExpect),
      cmocka_unit_test(RedirectsAreAnswers),
      cmocka_unit_test(InterimAnswersAreNotShown),
      cmocka_unit_test(CertaintyOfTheEndIsTold),
      cmocka_unit_test(TrailersAndFoldedHeadersAreTaken),
      cmocka_unit_test(ConnectionsAreUsedAgain),
      cmocka_unit_test(ALeftPostIsNotSentTwice),
      cmocka_unit_test(ManyTransfersRunAtOnce),
      cmocka_unit_test(ReceiversMayCancelAndStartAnywhere),
      cmocka_unit_test(ReceiversErrorComesBack),
      cmocka_unit_test(OnEndMayRunTheLoop),
      cmocka_unit_test(DestructionEndsTransfersQuietly),
      cmocka_unit_test(ProxyIsNotUsedForPlainHttp),
      cmocka_unit_test(HttpsGoesThroughTheProxyThatIsNamed),
      cmocka_unit_test(SignedRequestHasItsScopeAndHash),
      cmocka_unit_test(SignedRequestSignsItsOwnHeaders),
      cmocka_unit_test(WhatMustNotBeSentIsRefused),
  };
  return cmocka_run_group_tests_name("CurlHttp", tests, nullptr, nullptr);
}
