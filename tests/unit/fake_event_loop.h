// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <utility>

#include "extcap/system/event_loop.h"

namespace cloudflaredump {

/// An EventLoop in which no time passes but by waiting, and waiting takes no time: RunUntil jumps
/// from one CallAt to the next. File descriptors are never ready.
class FakeEventLoop : public system::EventLoop {
 public:
  WallTime Now() const override { return wall_start + (now_ - system::SteadyTime()); }
  system::SteadyTime Steady() const override { return now_; }
  double speed() const override { return 1; }

  bool RunUntil(const std::function<bool()>& done, system::SteadyTime deadline) override {
    while (!done()) {
      const auto next = timers_.begin();
      if (next == timers_.end() || next->first.first > deadline) {
        if (deadline > now_) now_ = deadline;
        return done();
      }
      if (next->first.first > now_) now_ = next->first.first;
      const std::function<void()> callback = std::move(next->second);
      timers_.erase(next);
      callback();
    }
    return true;
  }

  Id CallAt(system::SteadyTime time, std::function<void()> callback) override {
    timers_.emplace(std::pair(time, ++last_id_), std::move(callback));
    return last_id_;
  }

  Id Watch(int, short, std::function<void(short)>) override { return ++last_id_; }

  void Cancel(Id id) override {
    std::erase_if(timers_, [id](const auto& timer) { return timer.first.second == id; });
  }

  /// Time of day at Steady() == 0: 2026-11-23T06:20:00Z unless a test says otherwise.
  WallTime wall_start{std::chrono::seconds(1795414800)};

 private:
  system::SteadyTime now_;
  Id last_id_ = 0;
  std::map<std::pair<system::SteadyTime, Id>, std::function<void()>> timers_;
};

}  // namespace cloudflaredump
