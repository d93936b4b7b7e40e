// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/system/event_loop.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump::capture {

/// While it lives, a capture that was stopped gets at most `wait` (on the loop's clock) for what is
/// still to come, then StopRequests::Deliver is called; and kDelivery more to hand over what is
/// here, then StopRequests::Leave: a reader that has stopped reading cannot hold a stopped capture
/// forever. Both references must outlive it.
class StopWait {
 public:
  static constexpr Duration kDelivery = std::chrono::seconds(5);

  StopWait(system::EventLoop& loop, system::StopRequests& stop, Duration wait);
  StopWait(const StopWait&) = delete;
  StopWait& operator=(const StopWait&) = delete;
  ~StopWait();

 private:
  system::EventLoop& loop_;
  system::StopRequests& stop_;
  system::EventLoop::Id timer_ = 0;
};

}  // namespace cloudflaredump::capture
