// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/http.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::http {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

void WaitsDoubleWithJitterUpToFifteenSeconds(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 1h);
  for (const Duration step : {500ms, 1000ms, 2000ms, 4000ms, 8000ms}) {
    const std::optional<Duration> wait = backoff.NextWait("");
    assert_true(wait.has_value());
    assert_true(*wait >= step);
    assert_true(*wait <= std::min<Duration>(step * 3 / 2, 15s));
  }
  assert_true(backoff.NextWait("") == Duration(15s));
  assert_true(backoff.NextWait("") == Duration(15s));
}

void JitterDiffersBetweenClients(void**) {
  FakeEventLoop loop;
  bool differs = false;
  const std::optional<Duration> first = Backoff(loop, 1h).NextWait("");
  for (int i = 0; i < 20 && !differs; ++i) differs = Backoff(loop, 1h).NextWait("") != first;
  assert_true(differs);
}

void NoTryBeginsAfterTheBudget(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 5s);
  int tries = 0;
  while (backoff.WaitForNextTry("", kGoOn)) {
    ++tries;
    assert_true(loop.Steady() - system::SteadyTime() <= 5s);
    assert_true(tries < 10);
  }
  assert_true(tries >= 2);
  assert_false(backoff.WaitForNextTry("", kGoOn));
}

void ResetForgetsFailures(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 5s);
  while (backoff.WaitForNextTry("", kGoOn)) {
  }
  backoff.Reset();
  const std::optional<Duration> wait = backoff.NextWait("");
  assert_true(wait.has_value());
  assert_true(*wait <= 750ms);
}

void RetryAfterInSecondsIsKept(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 10min);
  const system::SteadyTime start = loop.Steady();
  assert_true(backoff.WaitForNextTry(" 42 ", kGoOn));
  assert_true(loop.Steady() - start == 42s);
}

void RetryAfterAsADateIsKept(void**) {
  FakeEventLoop loop;  // 2026-11-23T06:20:00Z
  Backoff backoff(loop, 10min);
  assert_true(backoff.NextWait("Mon, 23 Nov 2026 06:21:30 GMT") == Duration(90s));
  assert_true(backoff.NextWait("Monday, 23-Nov-26 06:20:07 GMT") == Duration(7s));
}

void RetryAfterBeyondTheBudgetEndsAtOnce(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 5s);
  assert_false(backoff.WaitForNextTry("301", kGoOn));
  assert_true(loop.Steady() == system::SteadyTime());
  assert_false(Backoff(loop, 5s).NextWait("18446744073709551615").has_value());
}

/// A server that says when is believed, up to five minutes, and the time left is told.
void RetryAfterMayBeLongerThanTheBudget(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 5s);
  std::vector<Duration> told;
  assert_true(backoff.WaitForNextTry("90", kGoOn, [&](Duration left) { told.push_back(left); }));
  assert_true(loop.Steady() - system::SteadyTime() == 90s);
  assert_int_equal(told.size(), 89);
  assert_true(told.front() == 90s && told.back() == 2s);
}

void UselessRetryAfterFallsBackToTheDoublingWait(void**) {
  FakeEventLoop loop;
  for (const char* const text :
       {"0", "soon", "-5", "Mon, 23 Nov 2026 06:00:00 GMT", "1.5", "99999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 1600 00:00:00 GMT"}) {
    Backoff backoff(loop, 1h);
    const std::optional<Duration> wait = backoff.NextWait(text);
    assert_true(wait.has_value());
    assert_true(*wait >= 500ms && *wait <= 750ms);
  }
}

void StopEndsTheWait(void**) {
  FakeEventLoop loop;
  Backoff backoff(loop, 10min);
  bool stop = false;
  loop.CallAt(loop.Steady() + 3s, [&] { stop = true; });
  assert_false(backoff.WaitForNextTry("60", [&] { return stop; }));
  assert_true(loop.Steady() - system::SteadyTime() == 3s);
}

void TransientStatusesAreTheRetriableOnes(void**) {
  for (const int status : {408, 425, 429, 500, 501, 502, 503, 504, 505, 520, 530, 599})
    assert_true(IsTransientStatus(status));
  for (const int status : {200, 204, 301, 400, 401, 403, 404, 409, 412, 418, 428, 499}) {
    assert_false(IsTransientStatus(status));
  }
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WaitsDoubleWithJitterUpToFifteenSeconds),
      cmocka_unit_test(JitterDiffersBetweenClients),
      cmocka_unit_test(NoTryBeginsAfterTheBudget),
      cmocka_unit_test(ResetForgetsFailures),
      cmocka_unit_test(RetryAfterInSecondsIsKept),
      cmocka_unit_test(RetryAfterAsADateIsKept),
      cmocka_unit_test(RetryAfterBeyondTheBudgetEndsAtOnce),
      cmocka_unit_test(RetryAfterMayBeLongerThanTheBudget),
      cmocka_unit_test(UselessRetryAfterFallsBackToTheDoublingWait),
      cmocka_unit_test(StopEndsTheWait),
      cmocka_unit_test(TransientStatusesAreTheRetriableOnes),
  };
  return cmocka_run_group_tests_name("backoff", tests, nullptr, nullptr);
}
