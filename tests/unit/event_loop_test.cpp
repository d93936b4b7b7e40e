// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/event_loop.h"

#include <poll.h>
#include <unistd.h>

#include <string>

#include "extcap/system/glib_event_loop.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

const auto kNever = [] { return false; };

/// What both loops promise of timers.
void CheckTimers(EventLoop& loop) {
  std::string order;
  const SteadyTime start = loop.Steady();
  loop.CallAt(start + 20ms, [&] { order += 'b'; });
  loop.CallAt(start + 10ms, [&] { order += 'a'; });
  loop.Cancel(loop.CallAt(start + 15ms, [&] { order += 'x'; }));
  assert_true(loop.RunUntil([&] { return order == "ab"; }, start + 10s));
  assert_true(loop.Steady() >= start + 20ms);
  const SteadyTime before = loop.Steady();
  assert_false(loop.RunUntil(kNever, before + 30ms));
  assert_true(loop.Steady() >= before + 30ms);
}

void RealLoopKeepsTimers(void**) {
  GlibEventLoop loop;
  CheckTimers(loop);
}

void FakeLoopKeepsTimers(void**) {
  FakeEventLoop loop;
  CheckTimers(loop);
}

void SpeedDividesWaits(void**) {
  GlibEventLoop fast(1000);
  GlibEventLoop real;
  const SteadyTime start = real.Steady();
  assert_false(fast.RunUntil(kNever, fast.Steady() + 60s));
  assert_true(real.Steady() - start >= 55ms);
  assert_true(real.Steady() - start < 30s);
}

void WatchTellsReadinessUntilCancelled(void**) {
  GlibEventLoop loop;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  int calls = 0;
  const EventLoop::Id id = loop.Watch(ends[0], POLLIN, [&](short events) {
    assert_true((events & POLLIN) != 0);
    ++calls;
  });
  assert_false(loop.RunUntil([&] { return calls > 0; }, loop.Steady() + 5ms));
  assert_int_equal(write(ends[1], "x", 1), 1);
  assert_true(loop.RunUntil([&] { return calls > 2; }, loop.Steady() + 5s));
  loop.Cancel(id);
  const int seen = calls;
  loop.RunUntil(kNever, loop.Steady() + 5ms);
  assert_int_equal(calls, seen);
  close(ends[0]);
  close(ends[1]);
}

void GoneReaderIsTold(void**) {
  GlibEventLoop loop;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  bool gone = false;
  const EventLoop::Id id =
      loop.Watch(ends[1], 0, [&](short events) { gone = (events & POLLERR) != 0; });
  close(ends[0]);
  assert_true(loop.RunUntil([&] { return gone; }, loop.Steady() + 5s));
  loop.Cancel(id);
  close(ends[1]);
}

void PassedDeadlineStillServesWhatIsReady(void**) {
  GlibEventLoop loop;
  bool called = false;
  loop.CallAt(loop.Steady(), [&] { called = true; });
  assert_true(loop.RunUntil([&] { return called; }, loop.Steady() - 1s));
}

void CallbacksMayNestAndCancelThemselves(void**) {
  GlibEventLoop loop;
  bool inner = false;
  EventLoop::Id id = 0;
  id = loop.CallAt(loop.Steady(), [&] {
    loop.Cancel(id);
    loop.CallAt(loop.Steady() + 1ms, [&] { inner = true; });
    assert_true(loop.RunUntil([&] { return inner; }, loop.Steady() + 5s));
  });
  assert_true(loop.RunUntil([&] { return inner; }, loop.Steady() + 5s));
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RealLoopKeepsTimers),
      cmocka_unit_test(FakeLoopKeepsTimers),
      cmocka_unit_test(SpeedDividesWaits),
      cmocka_unit_test(WatchTellsReadinessUntilCancelled),
      cmocka_unit_test(GoneReaderIsTold),
      cmocka_unit_test(PassedDeadlineStillServesWhatIsReady),
      cmocka_unit_test(CallbacksMayNestAndCancelThemselves),
  };
  return cmocka_run_group_tests_name("event loop", tests, nullptr, nullptr);
}
