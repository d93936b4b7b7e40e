// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/job_watch.h"

#include "common/redact.h"
#include "tests/unit/api_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

api::PcapJob Pending(const char* type = "simple") {
  api::PcapJob job;
  job.id = kTestId;
  job.type = type;
  job.status = "pending";
  return job;
}

/// Waits for Pending() at most two minutes; `told` gets each new status word.
Result<api::PcapJob> Await(ApiFixture& f, std::string* told = nullptr) {
  return AwaitJob(f.api, f.loop, Pending(), f.loop.Steady() + 120s, f.ForSeconds(60),
                  [told, last = std::string("none")](const api::PcapJob& job) mutable {
                    if (told != nullptr && job.status != last) *told += job.status + " ";
                    last = job.status;
                  });
}

void PollsBecomeRarer(void**) {
  std::string intervals;
  for (int poll = 0; poll < 6; ++poll) {
    intervals += std::to_string(PollInterval(poll, 1min) / 1s) + " ";
  }
  AssertText(intervals, "1 2 3 5 5 5 ");
  assert_true(PollInterval(100, 10min - 1s) == 5s);
  assert_true(PollInterval(100, 10min) == 30s);
  assert_true(PollInterval(5000, 24h) == 30s);
}

void AFinishedJobIsNotPolled(void**) {
  for (const char* status : {"success", "complete"}) {
    ApiFixture f;
    api::PcapJob job = Pending();
    job.status = status;
    const auto done =
        AwaitJob(f.api, f.loop, job, f.loop.Steady(), f.ForSeconds(5), [](const api::PcapJob&) {});
    AssertText(ValueOf(done).status, status);
    assert_true(f.http.requests.empty());
  }
}

void EveryOtherWordIsGoingOn(void**) {
  ApiFixture f;
  for (const char* status : {"pending", "running", "unknown", "conversion_pending",
                             "conversion_running", "reticulating", "", "success"}) {
    f.http.Answer("GET", "*", Ok(JobJson(kTestId, status)));
  }
  std::string told;
  AssertText(ValueOf(Await(f, &told)).id, kTestId);
  AssertText(told,
             "pending running unknown conversion_pending conversion_running reticulating  "
             "success ");
  // 1, 2 and 3 s, then 5 s each.
  assert_int_equal(f.Elapsed(), 1 + 2 + 3 + 5 * 5);
}

/// A status counts seconds, and the polls are rarer than those.
void ItIsToldEverySecond(void**) {
  ApiFixture f;
  f.http.Serve("GET", "*", [&](const http::HttpRequest&) {
    return Ok(JobJson(kTestId, f.Elapsed() >= 21 ? "success" : "running"));
  });
  std::string seconds;
  AssertGood(AwaitJob(f.api, f.loop, Pending(), f.loop.Steady() + 120s, f.ForSeconds(60),
                      [&](const api::PcapJob&) { seconds += std::to_string(f.Elapsed()) + " "; }));
  AssertText(seconds, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 ");
}

void AnAnswerWithoutAStatusIsGoingOn(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok("{}"));
  f.http.Answer("GET", "*", Ok("null"));
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "success")));
  AssertGood(Await(f));
}

void AFailureIsToldInCloudflaresWords(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "failed", R"(,"error_message":"It }{ broke\n.")")));
  AssertFails(Await(f), Error::Kind::kFinal,
              "Cloudflare says that capture " + std::string(kTestId) + " failed: It )( broke .");
}

void AFailureWithoutWordsHasAdvice(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "failed")));
  AssertFails(Await(f), Error::Kind::kFinal, "failed; check the filter, and try again.");
  api::PcapJob full = Pending("full");
  full.status = "failed";
  AssertFails(
      AwaitJob(f.api, f.loop, full, f.loop.Steady(), f.ForSeconds(5), [](const api::PcapJob&) {}),
      Error::Kind::kFinal, "failed; check that the bucket is registered");
}

void AFailureTellsNoSecret(void**) {
  RegisterSecret(kTestToken);
  for (std::size_t before = 260; before < 300; before += 5) {
    ApiFixture f;
    const std::string message = std::string(before, 'x') + kTestToken;
    f.http.Answer("GET", "*",
                  Ok(JobJson(kTestId, "failed", R"(,"error_message":")" + message + "\"")));
    AssertLacks(SentenceOf(ErrorOf(Await(f))), "cfut_");
  }
}

void TheDeadlineNamesHowToGetTheCaptureLater(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "running")));
  AssertFails(Await(f), Error::Kind::kFinal,
              "Cloudflare has not finished capture " + std::string(kTestId) + " within 2 min");
  AssertText(
      HowToGetLater("a1", ""),
      "get it later with: cloudflaredump capture -i cloudflare-download --pcap-id a1 -w FILE");
  AssertContains(DownloadCommand("a1", "udp and host 'x'"), "--pcap-id a1 -f 'udp and host ");
  AssertContains(DownloadCommand("a1", std::string(5000, 'x')), "--pcap-id a1 -f FILTER -w FILE");
  assert_int_equal(f.Elapsed(), 120);
}

void AJobThatEndsAtTheDeadlineIsTaken(void**) {
  ApiFixture f;
  f.http.Serve("GET", "*", [&](const http::HttpRequest&) {
    return Ok(JobJson(kTestId, f.Elapsed() >= 120 ? "success" : "running"));
  });
  AssertGood(Await(f));
}

void ALongJobIsPolledEveryHalfMinute(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "running")));
  AssertFails(AwaitJob(f.api, f.loop, Pending(), f.loop.Steady() + 24h, f.ForSeconds(60),
                       [](const api::PcapJob&) {}),
              Error::Kind::kFinal, "within 24 h");
  // 1 + 2 + 3 s, every 5 s up to ten minutes, every 30 s for the rest of the day.
  assert_int_equal(f.http.requests.size(), 3 + 119 + (86400 - 601 + 29) / 30);
}

void AnOutageIsBorne(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Lost());
  f.http.Answer("GET", "*", {.status = 503});
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "success")));
  AssertGood(Await(f));
}

void AFinalAnswerEndsTheWatch(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 403, .body = Refusal("1", "gone")});
  AssertFails(Await(f), Error::Kind::kFinal, "cannot ask for the capture");
  assert_int_equal(f.Elapsed(), 1);
}

/// An id that is seconds old may not be known everywhere yet.
void ANewIdMayBeUnknownForAWhile(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", {.status = 404, .body = Refusal("1", "gone")});
  f.http.Answer("GET", "*", {.status = 409, .body = Refusal("1", "not yet")});
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "success")));
  AssertGood(Await(f));
}

void AStopEndsTheWatchAtOnce(void**) {
  ApiFixture f;
  f.http.Answer("GET", "*", Ok(JobJson(kTestId, "running")));
  f.loop.CallAt(f.loop.Steady() + 8s, [&] { f.stopped = true; });
  AssertFails(Await(f), Error::Kind::kInterrupted, "stopped");
  assert_int_equal(f.Elapsed(), 8);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(PollsBecomeRarer),
      cmocka_unit_test(AFinishedJobIsNotPolled),
      cmocka_unit_test(EveryOtherWordIsGoingOn),
      cmocka_unit_test(ItIsToldEverySecond),
      cmocka_unit_test(AnAnswerWithoutAStatusIsGoingOn),
      cmocka_unit_test(AFailureIsToldInCloudflaresWords),
      cmocka_unit_test(AFailureWithoutWordsHasAdvice),
      cmocka_unit_test(AFailureTellsNoSecret),
      cmocka_unit_test(TheDeadlineNamesHowToGetTheCaptureLater),
      cmocka_unit_test(AJobThatEndsAtTheDeadlineIsTaken),
      cmocka_unit_test(ALongJobIsPolledEveryHalfMinute),
      cmocka_unit_test(AnOutageIsBorne),
      cmocka_unit_test(AFinalAnswerEndsTheWatch),
      cmocka_unit_test(ANewIdMayBeUnknownForAWhile),
      cmocka_unit_test(AStopEndsTheWatchAtOnce),
  };
  return cmocka_run_group_tests_name("job_watch", tests, nullptr, nullptr);
}
