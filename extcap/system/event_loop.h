// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>

#include "common/time.h"

namespace cloudflaredump::system {

/// Names the clock of EventLoop::Steady, so that its times never mix with the wall clock's.
struct SteadyClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SteadyClock, Duration>;
  static constexpr bool is_steady = true;
};
using SteadyTime = SteadyClock::time_point;

/// The one place where the program waits, and its only clock: pacing, polling, back-off, stall and
/// stop limits all come from here. One thread; callbacks run inside RunUntil and nowhere else.
///
/// Abstract so that tests can let hours pass in no time (tests/unit/fake_event_loop.h). The real
/// one is GlibEventLoop.
class EventLoop {
 public:
  using Id = unsigned;

  EventLoop() = default;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  virtual ~EventLoop() = default;

  /// The time of day. Never scaled: it goes into requests and is compared with the server's.
  virtual WallTime Now() const = 0;

  /// A clock that only goes forward, `speed()` times as fast as real time. Every length of time in
  /// the program is meant on this clock.
  virtual SteadyTime Steady() const = 0;

  /// 1 unless CLOUDFLAREDUMP_SPEED was accepted.
  virtual double speed() const = 0;

  /// A length of real time on the clock of Steady(): what has to do with people or programs here.
  Duration FromReal(Duration span) const {
    return std::chrono::duration_cast<Duration>(span * speed());
  }

  /// A length of the clock of Steady() in real time: what is compared with the time of day.
  Duration ToReal(Duration span) const {
    const std::chrono::duration<double> real(std::chrono::duration<double>(span) / speed());
    return std::chrono::duration_cast<Duration>(real);
  }

  /// Runs callbacks until `done()` holds (checked before the first wait and after each callback)
  /// or `deadline` has passed. Returns what `done()` last said. May be nested.
  virtual bool RunUntil(const std::function<bool()>& done, SteadyTime deadline) = 0;

  /// Calls `callback` once, at `time` or as soon after it as the loop runs. Returns an id > 0.
  virtual Id CallAt(SteadyTime time, std::function<void()> callback) = 0;

  /// Calls `callback(revents)` while any of `events` (POLLIN, POLLOUT, 0 for errors and hang-ups
  /// only) holds on `fd`. The fd stays the caller's. Returns an id > 0.
  virtual Id Watch(int fd, short events, std::function<void(short)> callback) = 0;

  /// Forgets a CallAt or a Watch. Unknown, past and zero ids are ignored. Allowed in callbacks.
  virtual void Cancel(Id id) = 0;
};

}  // namespace cloudflaredump::system
