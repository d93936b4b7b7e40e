// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/system/event_loop.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump {

/// While it lives, what is still delivered after the first request to stop gets at most `wait` (on
/// the loop's clock); then StopRequests::Leave is called. So a reader that has stopped reading
/// cannot hold a stopped capture for ever. Both references must outlive it.
class StopWait {
 public:
  StopWait(EventLoop& loop, StopRequests& stop, Duration wait);
  StopWait(const StopWait&) = delete;
  StopWait& operator=(const StopWait&) = delete;
  ~StopWait();

 private:
  EventLoop& loop_;
  StopRequests& stop_;
  EventLoop::Id timer_ = 0;
};

}  // namespace cloudflaredump
