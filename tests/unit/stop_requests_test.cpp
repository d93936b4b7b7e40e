// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/stop_requests.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "extcap/system/glib_event_loop.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

/// Lets the loop see what has happened already.
void Settle(GlibEventLoop& loop) {
  loop.RunUntil([] { return false; }, loop.Steady() + 20ms);
}

void EverySignalAsksForAStop(void**) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    GlibEventLoop loop;
    StopRequests stop(loop);
    assert_false(stop.Stopping()());
    raise(number);
    assert_true(loop.RunUntil(stop.Stopping(), loop.Steady() + 10s));
    assert_true(stop.level() == StopLevel::kStop);
    assert_false(stop.Leaving()());
  }
}

/// A Ctrl-C under tshark is a SIGINT and a SIGTERM within milliseconds.
void SignalsCloseTogetherAreOne(void**) {
  GlibEventLoop loop;
  StopRequests stop(loop);
  raise(SIGINT);
  raise(SIGTERM);
  Settle(loop);
  raise(SIGTERM);
  Settle(loop);
  assert_true(stop.level() == StopLevel::kStop);
}

void ALaterSignalMeansLeave(void**) {
  GlibEventLoop loop;
  StopRequests stop(loop);
  raise(SIGINT);
  loop.RunUntil([] { return false; }, loop.Steady() + 1100ms);
  assert_true(stop.level() == StopLevel::kStop);
  raise(SIGINT);
  assert_true(loop.RunUntil(stop.Leaving(), loop.Steady() + 10s));
}

/// "Finish now" stops the capture and hurries nobody; a Stop after it does.
void FinishingIsAStopWithoutHaste(void**) {
  GlibEventLoop loop;
  StopRequests stop(loop);
  int hurried = 0;
  stop.SetOnStop([&] { ++hurried; });
  stop.Finish();
  assert_true(stop.Stopping()() && stop.finishing() && !stop.StoppingSoon()());
  assert_int_equal(hurried, 0);
  stop.SetOnStop([&] { ++hurried; });
  assert_int_equal(hurried, 0);
  raise(SIGTERM);
  Settle(loop);
  assert_int_equal(hurried, 1);
  assert_true(stop.level() == StopLevel::kStop && !stop.finishing() && stop.StoppingSoon()());
  stop.Finish();
  assert_false(stop.finishing());
}

/// The second that belongs to the first signal is a person's: a fast clock does not shorten it.
void TheSecondIsRealTime(void**) {
  GlibEventLoop fast(1000);
  StopRequests stop(fast);
  raise(SIGINT);
  fast.RunUntil([] { return false; }, fast.Steady() + 20s);
  raise(SIGTERM);
  fast.RunUntil([] { return false; }, fast.Steady() + 20s);
  assert_true(stop.level() == StopLevel::kStop);
}

void TheButtonStopsAndTheGoneReaderLeaves(void**) {
  GlibEventLoop loop;
  StopRequests stop(loop);
  stop.Request();
  assert_true(stop.level() == StopLevel::kStop);
  stop.Leave();
  assert_true(stop.level() == StopLevel::kLeave);
  stop.Request();
  assert_true(stop.AtLeast(StopLevel::kLeave));
}

void ASignalAfterTheButtonIsTheFirst(void**) {
  GlibEventLoop loop;
  StopRequests stop(loop);
  stop.Request();
  raise(SIGTERM);
  Settle(loop);
  assert_true(stop.level() == StopLevel::kStop);
}

void ABrokenPipeDoesNotKill(void**) {
  GlibEventLoop loop;
  const StopRequests stop(loop);
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  assert_int_equal(write(ends[1], "x", 1), -1);
  assert_int_equal(errno, EPIPE);
  close(ends[1]);
}

/// A regression: the second signal of a Ctrl-C that came while the process was ending killed it.
void ASignalAtTheEndChangesNothing(void**) {
  GlibEventLoop loop;
  {
    const StopRequests stop(loop);
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) raise(number);
}

/// Runs `child` in a process of its own, and returns what waitpid says of it.
int InAChild(const std::function<void()>& child) {
  const pid_t pid = fork();
  if (pid == 0) {
    child();
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

void SignalsThatWereGivenBackEndTheProgram(void**) {
  const int later = InAChild([] {
    GlibEventLoop loop;
    StopRequests stop(loop);
    stop.HandBack();
    raise(SIGTERM);
  });
  assert_true(WIFSIGNALED(later) && WTERMSIG(later) == SIGTERM);
  const int earlier = InAChild([] {
    GlibEventLoop loop;
    StopRequests stop(loop);
    raise(SIGINT);
    stop.HandBack();
  });
  assert_true(WIFSIGNALED(earlier) && WTERMSIG(earlier) == SIGINT);
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EverySignalAsksForAStop),
      cmocka_unit_test(SignalsThatWereGivenBackEndTheProgram),
      cmocka_unit_test(SignalsCloseTogetherAreOne),
      cmocka_unit_test(ALaterSignalMeansLeave),
      cmocka_unit_test(FinishingIsAStopWithoutHaste),
      cmocka_unit_test(TheSecondIsRealTime),
      cmocka_unit_test(TheButtonStopsAndTheGoneReaderLeaves),
      cmocka_unit_test(ASignalAfterTheButtonIsTheFirst),
      cmocka_unit_test(ABrokenPipeDoesNotKill),
      cmocka_unit_test(ASignalAtTheEndChangesNothing),
  };
  return cmocka_run_group_tests_name("stop_requests", tests, nullptr, nullptr);
}
