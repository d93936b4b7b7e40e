// SPDX-License-Identifier: GPL-2.0-or-later
// CurlHttp against servers that break off, stall, lie, speak no HTTP or cannot be trusted.
#include <netdb.h>

#include <chrono>
#include <thread>

#include "extcap/http/curl_fault.h"
#include "extcap/http/curl_http.h"
#include "extcap/system/glib_event_loop.h"
#include "tests/unit/http_recorder.h"
#include "tests/unit/raw_server.h"

namespace {

/// How long a look-up of slow.invalid takes in this program, which has a getaddrinfo of its own.
constexpr std::chrono::seconds kSlowLookup(5);

}  // namespace

/// Stands before the C library's for libcurl too: no test asks a name server.
extern "C" int getaddrinfo(const char* name, const char*, const addrinfo*, addrinfo**) {
  if (std::string_view(name) == "slow.invalid") std::this_thread::sleep_for(kSlowLookup);
  return EAI_NONAME;
}

namespace cloudflaredump::http {
namespace {

using namespace std::chrono_literals;
using Kind = Error::Kind;

const auto kGoOn = [] { return false; };

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

/// The Error of a GET to a server that answers the request with `bytes` and closes.
Error FaultOf(const std::string& bytes, bool reset = false, std::size_t max_body = 1000) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send(bytes);
    if (reset) {
      std::this_thread::sleep_for(20ms);  // lets the client read what came before the reset
      connection.ResetAtEnd();
    }
  });
  HttpRequest request = Get(server.Url("/path?token=secret"));
  request.headers = {{"Authorization", "Bearer secret"}};
  request.max_body = max_body;
  const Result<HttpAnswer> answer = Fetch(http, loop, request, kGoOn);
  if (answer) fail_msg("\"%s\" was taken for a whole answer", bytes.c_str());
  AssertContains(SentenceOf(answer.error()), server.Url().substr(7, server.Url().size() - 8));
  assert_true(SentenceOf(answer.error()).find("secret") == std::string::npos);
  return answer.error();
}

void AssertFault(const Error& error, Kind kind, const std::string& piece) {
  AssertContains(SentenceOf(error), piece);
  if (error.kind != kind) fail_msg("\"%s\" has the wrong kind", SentenceOf(error).c_str());
}

void NobodyListens(void**) {
  std::string url;
  {
    RawServer server([](RawConnection&) {});
    url = server.Url();
  }
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  AssertFault(Fetch(http, loop, Get(url), kGoOn).error(), Kind::kPassing, "Connection refused");
}

void UnknownNameIsSaid(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  AssertFault(Fetch(http, loop, Get("https://none.invalid/secret"), kGoOn).error(), Kind::kPassing,
              "cannot find the address of none.invalid");
}

void ClosedWithoutAnAnswer(void**) {
  AssertFault(FaultOf(""), Kind::kPassing, "without an answer");
}

void AnswerCutInTheHead(void**) {
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nContent-Le", true), Kind::kPassing, "lost");
}

void AnswerCutInTheBody(void**) {
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Kind::kPassing,
              "cut short");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true), Kind::kPassing,
              "cut short");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha"),
              Kind::kPassing, "cut short");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
              Kind::kPassing, "cut short");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\n\r\nhalf", true), Kind::kPassing, "cut short");
}

/// Every prefix of an answer that is not the answer is a fault.
void AnswerCutAnywhereIsNeverTakenForWhole(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  const std::string whole =
      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nETag: \"1\"\r\n\r\nall of it is";
  std::size_t cut = 0;
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send(whole.substr(0, cut));
  });
  for (cut = 0; cut < whole.size(); ++cut) {
    const Result<HttpAnswer> answer = Fetch(http, loop, Get(server.Url()), kGoOn);
    if (answer) fail_msg("cut at %zu was taken for whole", cut);
    assert_true(answer.error().kind != Kind::kUsage);
  }
  assert_true(Fetch(http, loop, Get(server.Url()), kGoOn).has_value());
}

void WhatIsNotHttpIsSaid(void**) {
  AssertFault(FaultOf("SSH-2.0-OpenSSH_9.2\r\n"), Kind::kFinal, "is not HTTP");
  AssertFault(FaultOf(std::string("\0\1\2\3garbage\n\n\n", 14)), Kind::kFinal, "is not HTTP");
}

void BodyBeyondTheLimitEnds(void**) {
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), Kind::kFinal,
              "larger than the 1,000 bytes");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')), Kind::kFinal,
              "larger than the 1,000 bytes");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx"),
              Kind::kFinal, "");
}

void HeadersWithoutEndAreRefused(void**) {
  std::string flood = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 20000; ++i) flood += "X-Flood: 0123456789abcdef\r\n";
  AssertFault(FaultOf(flood + "\r\n"), Kind::kFinal, "");
}

void AHeaderLineWithoutEndIsRefused(void**) {
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nX-Flood: " + std::string(1 << 20, 'a')), Kind::kFinal,
              "more headers than make sense");
  AssertFault(FaultOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: " +
                      std::string(1 << 20, 'a')),
              Kind::kFinal, "more headers than make sense");
}

/// What comes behind a body in chunks has no end of its own either.
void TrailersWithoutEndAreRefused(void**) {
  std::string flood = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
  for (int i = 0; i < 20000; ++i) flood += "X-Flood: 0123456789abcdef\r\n";
  AssertFault(FaultOf(flood + "\r\n"), Kind::kFinal, "more headers than make sense");
}

void ServersTextIsCleaned(void**) {
  const Error error = FaultOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: \x1b[31mevil\r\n\r\nx");
  assert_true(SentenceOf(error).find('\x1b') == std::string::npos);
}

void StallEndsByTheLoopsClock(void**) {
  system::GlibEventLoop loop(100);  // 30 s are 0.3 s
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    connection.WaitForClose();
  });
  HttpRecorder recorder;
  http.Start(Get(server.Url()), recorder);
  const system::SteadyTime start = loop.Steady();
  assert_true(loop.RunUntil([&] { return recorder.end.has_value(); }, start + 1h));
  AssertFault(recorder.error(), Kind::kPassing, "sent nothing for 30 s");
  AssertText(recorder.body, "half");
  assert_true(loop.Steady() - start >= 30s);
}

void SlowButSteadyAnswerIsNoStall(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    for (int i = 0; i < 6; ++i) {
      std::this_thread::sleep_for(100ms);
      connection.Send("x");
    }
  });
  HttpRequest request = Get(server.Url());
  request.stall_timeout = 400ms;  // shorter than the whole, longer than each wait
  assert_true(Fetch(http, loop, request, kGoOn).has_value());
}

void ConnectionThatNeverComesEndsByTheLoopsClock(void**) {
  system::GlibEventLoop loop(20);
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) { connection.WaitForClose(); });
  // Connected, but the handshake gets no answer: that is not a connection yet.
  HttpRequest request = Get("https" + server.Url().substr(4));
  const system::SteadyTime start = loop.Steady();
  AssertFault(Fetch(http, loop, request, kGoOn).error(), Kind::kPassing,
              "no connection within 10 s");
  assert_true(loop.Steady() - start >= 10s);
  assert_true(loop.Steady() - start < 250s);
}

void TlsCutInTheHandshakeMayBeTriedAgain(void**) {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  RawServer server([](RawConnection& connection) { connection.ResetAtEnd(); });
  AssertFault(Fetch(http, loop, Get("https" + server.Url().substr(4)), kGoOn).error(),
              Kind::kPassing, "127.0.0.1");
}

void CancelDuringALookUpDoesNotWait(void**) {
  const auto start = std::chrono::steady_clock::now();
  {
    system::GlibEventLoop loop;
    CurlHttp http(loop);
    bool stop = false;
    loop.CallAt(loop.Steady() + 50ms, [&] { stop = true; });
    const Result<HttpAnswer> answer =
        Fetch(http, loop, Get("https://slow.invalid/"), [&] { return stop; });
    assert_true(answer.error().kind == Kind::kInterrupted);
  }
  assert_true(std::chrono::steady_clock::now() - start < kSlowLookup / 2);
}

void CertificateFaultsAreFinalAndNameTheWayOut(void**) {
  const Error error = DescribeFault({.code = CURLE_PEER_FAILED_VERIFICATION,
                                     .detail = "SSL: no alternative certificate subject name"},
                                    "api.test");
  AssertFault(error, Kind::kFinal, "CURL_CA_BUNDLE");
  AssertContains(SentenceOf(error), "no alternative certificate subject name");
}

void FaultsWithoutDetailStillSayWhy(void**) {
  AssertFault(DescribeFault({.code = CURLE_COULDNT_CONNECT, .os_error = ENETUNREACH}, "a.test"),
              Kind::kPassing, "cannot reach a.test: Network is unreachable");
  AssertFault(DescribeFault({.code = CURLE_HTTP2_STREAM, .began = true}, "a.test"), Kind::kPassing,
              "the answer of a.test was cut short: ");
  AssertFault(DescribeFault({.code = CURLE_OUT_OF_MEMORY}, "a.test"), Kind::kFinal, "memory");
  AssertFault(DescribeFault({.code = CURLE_BAD_FUNCTION_ARGUMENT}, "a.test"), Kind::kFinal,
              "the transfer from a.test failed: ");
}

void WhatAProxyAnsweredIsSaid(void**) {
  AssertFault(DescribeFault({.code = CURLE_RECV_ERROR, .proxy_status = 407}, "a.test"),
              Kind::kFinal, "the proxy on the way to a.test answered HTTP 407; put its user");
  AssertFault(DescribeFault({.code = CURLE_RECV_ERROR, .proxy_status = 403}, "a.test"),
              Kind::kFinal, "answered HTTP 403");
  AssertFault(DescribeFault({.code = CURLE_RECV_ERROR, .proxy_status = 502}, "a.test"),
              Kind::kPassing, "answered HTTP 502");
  AssertFault(DescribeFault({.code = CURLE_RECV_ERROR, .proxy_status = 200}, "a.test"),
              Kind::kPassing, "the connection to a.test was lost");
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  for (const char* const variable :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    unsetenv(variable);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(NobodyListens),
      cmocka_unit_test(UnknownNameIsSaid),
      cmocka_unit_test(ClosedWithoutAnAnswer),
      cmocka_unit_test(AnswerCutInTheHead),
      cmocka_unit_test(AnswerCutInTheBody),
      cmocka_unit_test(AnswerCutAnywhereIsNeverTakenForWhole),
      cmocka_unit_test(WhatIsNotHttpIsSaid),
      cmocka_unit_test(BodyBeyondTheLimitEnds),
      cmocka_unit_test(HeadersWithoutEndAreRefused),
      cmocka_unit_test(AHeaderLineWithoutEndIsRefused),
      cmocka_unit_test(TrailersWithoutEndAreRefused),
      cmocka_unit_test(ServersTextIsCleaned),
      cmocka_unit_test(StallEndsByTheLoopsClock),
      cmocka_unit_test(SlowButSteadyAnswerIsNoStall),
      cmocka_unit_test(ConnectionThatNeverComesEndsByTheLoopsClock),
      cmocka_unit_test(TlsCutInTheHandshakeMayBeTriedAgain),
      cmocka_unit_test(CancelDuringALookUpDoesNotWait),
      cmocka_unit_test(CertificateFaultsAreFinalAndNameTheWayOut),
      cmocka_unit_test(FaultsWithoutDetailStillSayWhy),
      cmocka_unit_test(WhatAProxyAnsweredIsSaid),
  };
  return cmocka_run_group_tests_name("CurlHttp faults", tests, nullptr, nullptr);
}
