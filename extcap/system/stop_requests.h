// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>

#include "extcap/system/event_loop.h"

namespace cloudflaredump {

/// How far a capture is to be stopped.
enum class StopLevel {
  kNone,   ///< Go on.
  kStop,   ///< Stop the capture at Cloudflare, deliver what it has, then leave.
  kLeave,  ///< The reader has gone, or a later signal came: deliver nothing more.
};

/// Collects what asks a capture to stop: SIGINT, SIGTERM, SIGHUP and a reader that has gone.
/// Signals within one real second of the first belong to it, for a Ctrl-C under tshark sends two;
/// a later one means "leave now".
///
/// One object a process: it owns the handlers of these signals while it lives, and ignores SIGPIPE.
class StopRequests {
 public:
  explicit StopRequests(EventLoop& loop);
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;
  ~StopRequests();

  StopLevel level() const { return level_; }
  bool AtLeast(StopLevel level) const { return level_ >= level; }

  /// The predicates that waits are given.
  std::function<bool()> Stopping() const {
    return [this] { return AtLeast(StopLevel::kStop); };
  }
  std::function<bool()> Leaving() const {
    return [this] { return AtLeast(StopLevel::kLeave); };
  }

  /// The reader of our output has gone: kLeave.
  void ReaderGone() { level_ = StopLevel::kLeave; }
  /// A stop by other means than a signal (the toolbar's button): kStop.
  void Request() {
    if (level_ == StopLevel::kNone) level_ = StopLevel::kStop;
  }

 private:
  void TakeSignals();

  EventLoop& loop_;
  EventLoop::Id watch_ = 0;
  StopLevel level_ = StopLevel::kNone;
  std::optional<std::chrono::steady_clock::time_point> first_signal_;
};

}  // namespace cloudflaredump
