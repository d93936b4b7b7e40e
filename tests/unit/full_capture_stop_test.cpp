// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/stop_wait.h"
#include "tests/unit/full_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

void AStopWhileItRunsIsPassedOnAndStillDelivers(void**) {
  FullFixture f;
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  f.StopAfter(20);
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_true(outcome.stopped);
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertText(f.Read().Data(), "x");
  AssertContains(outcome.verdict, "Stopped: ");
  AssertText(outcome.left_behind, "");
  assert_int_equal(f.Started().ToStop("acc123").size(), 0);
}

void AStopBeforeThePostStartsNothing(void**) {
  FullFixture f;
  f.stop.Request();
  const Outcome outcome = f.Run();
  assert_true(outcome.stopped);
  assert_int_equal(f.CountOf("POST"), 0);
  assert_int_equal(f.cloudflare.stops.size(), 0);
}

void AStopWhileThePostIsUnansweredFindsWhatItStarted(void**) {
  FullFixture f;
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  f.http.Serve("POST", "*/pcaps", [&](const http::HttpRequest& request) {
    f.cloudflare.bodies.push_back(request.body);
    f.stop.Request();
    f.cloudflare.Begin();
    return FakeAnswer{.body = Envelope(f.cloudflare.Tell()), .delay = 10min};
  });
  const Outcome outcome = f.Run();
  assert_true(outcome.stopped);
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertContains(f.cloudflare.stops[0], kTestId);
  AssertText(f.Started().Latest("acc123").value(), kTestId);
}

void AStopWhileThePostIsUnansweredAndTheListTooIsLeftToTheNextRun(void**) {
  FullFixture f;
  f.http.Serve("POST", "*/pcaps", [&](const http::HttpRequest&) {
    f.stop.Request();
    return FakeAnswer{.delay = 10min};
  });
  f.http.Serve("GET", "*/pcaps", [&](const http::HttpRequest&) {
    return f.CountOf("POST") == 0 ? Ok("[]") : FakeAnswer{.delay = 10min};
  });
  assert_true(f.Run().stopped);
  assert_int_equal(f.Started().ToStop("acc123").size(), 1);
  assert_true(f.Elapsed() <= 4);
}

void APutThatFailsStaysOnRecord(void**) {
  FullFixture f;
  f.cloudflare.stop_answer = {.status = 522, .body = "<html>error code: 522</html>"};
  f.StopAfter(20);
  f.LeaveAfter(60);
  const Outcome outcome = f.Run();
  assert_true(outcome.stopped);
  assert_true(f.cloudflare.stops.size() > 1);  // tried again while there was time
  const auto left = f.Started().ToStop("acc123");
  assert_int_equal(left.size(), 1);
  AssertText(left[0].pcap_id, kTestId);
  AssertContains(outcome.left_behind, "goes on at Cloudflare");
}

void LeavingEndsTheDeliveryNotThePut(void**) {
  FullFixture f;
  f.LeaveAfter(20);
  const Outcome outcome = f.Run();
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertText(f.sink.bytes, "");
  AssertContains(outcome.left_behind, "was told to stop, and has not ended yet");
  AssertContains(outcome.left_behind, std::string("--pcap-id ") + kTestId);
}

void AFinishNowWaitsForAllThatWasCaught(void**) {
  FullFixture f;
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  f.cloudflare.building = 3min;
  f.loop.CallAt(f.loop.Steady() + 20s, [&] { f.stop.Finish(); });
  const Outcome outcome = f.Run();
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertText(f.Read().Data(), "x");
  assert_true(f.Elapsed() >= 200);
  assert_true(outcome.stopped);
}

void AStopsWaitHasAnEnd(void**) {
  FullFixture f;
  f.cloudflare.building = 24h;
  f.StopAfter(20);
  const StopWait wait(f.loop, f.stop, 20s);
  const Outcome outcome = f.Run();
  assert_true(f.Elapsed() <= 46);
  AssertContains(Complaint(outcome), std::string("--pcap-id ") + kTestId);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStopWhileItRunsIsPassedOnAndStillDelivers),
      cmocka_unit_test(AStopBeforeThePostStartsNothing),
      cmocka_unit_test(AStopWhileThePostIsUnansweredFindsWhatItStarted),
      cmocka_unit_test(AStopWhileThePostIsUnansweredAndTheListTooIsLeftToTheNextRun),
      cmocka_unit_test(APutThatFailsStaysOnRecord),
      cmocka_unit_test(LeavingEndsTheDeliveryNotThePut),
      cmocka_unit_test(AFinishNowWaitsForAllThatWasCaught),
      cmocka_unit_test(AStopsWaitHasAnEnd),
  };
  return cmocka_run_group_tests_name("full_capture_stop", tests, nullptr, nullptr);
}
