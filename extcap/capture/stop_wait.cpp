// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/stop_wait.h"

namespace cloudflaredump::capture {

StopWait::StopWait(system::EventLoop& loop, system::StopRequests& stop, Duration wait)
    : loop_(loop), stop_(stop) {
  stop_.SetOnStop([this, wait] {
    timer_ = loop_.CallAt(loop_.Steady() + wait, [this] {
      stop_.Deliver();
      timer_ = loop_.CallAt(loop_.Steady() + kDelivery, [this] {
        timer_ = 0;
        stop_.Leave();
      });
    });
  });
}

StopWait::~StopWait() {
  stop_.SetOnStop({});
  loop_.Cancel(timer_);
}

}  // namespace cloudflaredump::capture
