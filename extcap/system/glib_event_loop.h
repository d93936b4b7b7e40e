// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include "extcap/system/event_loop.h"

namespace cloudflaredump::system {

/// EventLoop on a GMainContext of its own.
class GlibEventLoop : public EventLoop {
 public:
  /// `speed` > 0: how many seconds of the program pass in one real second.
  explicit GlibEventLoop(double speed = 1);
  ~GlibEventLoop() override;

  WallTime Now() const override;
  SteadyTime Steady() const override;
  double speed() const override { return speed_; }
  bool RunUntil(const std::function<bool()>& done, SteadyTime deadline) override;
  Id CallAt(SteadyTime time, std::function<void()> callback) override;
  Id Watch(int fd, short events, std::function<void(short)> callback) override;
  void Cancel(Id id) override;

 private:
  GMainContext* context_;
  double speed_;
  gint64 start_;  ///< g_get_monotonic_time() at construction, microseconds.
};

}  // namespace cloudflaredump::system
