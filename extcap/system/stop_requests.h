// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>

#include "extcap/system/event_loop.h"

namespace cloudflaredump::system {

/// How far a capture is to be stopped.
enum class StopLevel {
  kNone,     ///< Go on.
  kStop,     ///< Stop the capture at Cloudflare, deliver what it has, then leave.
  kDeliver,  ///< The wait for what is still to come is over: deliver what is here.
  kLeave,    ///< The reader has gone, or a later signal came: deliver nothing more.
};

/// Collects what asks a capture to stop: SIGINT, SIGTERM, SIGHUP and a reader that has gone.
/// Signals within one real second of the first belong to it, for a Ctrl-C under tshark sends two;
/// a later one means "leave now".
///
/// One object a process: it owns the handlers of these signals, and ignores SIGPIPE. They stay when
/// it goes: the process is ending then, and the second signal of a Ctrl-C must not change how. One
/// that goes on calls HandBack.
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
  /// Like Stopping, but Finish alone does not count: for what was begun and can still be had.
  std::function<bool()> StoppingSoon() const {
    return [this] { return AtLeast(StopLevel::kStop) && !finishing_; };
  }
  /// For what still comes after a stop: no more of it is waited for.
  std::function<bool()> WaitIsOver() const {
    return [this] { return AtLeast(StopLevel::kDeliver); };
  }
  std::function<bool()> Leaving() const {
    return [this] { return AtLeast(StopLevel::kLeave); };
  }

  /// Takes the signals that have come: for who waits outside of the loop, which does so otherwise.
  void TakeSignals();
  /// For what comes after the captures: from now on a signal ends the program as it does any
  /// other, and so does one that has come.
  void HandBack();
  /// Wait for nothing more, deliver what is here.
  void Deliver();
  /// Deliver nothing more: the reader has gone, or the time for it is over.
  void Leave();
  /// Leave, because whoever read the capture has gone.
  void ReaderGone();
  bool reader_gone() const { return reader_gone_; }
  /// What a first signal does: kStop.
  void Request();
  /// What "Finish now" in Wireshark's toolbar does: kStop as well, but nobody waits for us to be
  /// gone, so all that was captured may still come. A later signal is a first one.
  void Finish();
  /// Whether a stop has been asked for by Finish alone.
  bool finishing() const { return finishing_; }

  /// Calls `callback` once, when the level first rises otherwise than by Finish; at once if it
  /// already has.
  void SetOnStop(std::function<void()> callback);

 private:
  void Rise(StopLevel level);

  EventLoop& loop_;
  EventLoop::Id watch_ = 0;
  StopLevel level_ = StopLevel::kNone;
  bool finishing_ = false;
  bool reader_gone_ = false;
  int last_signal_ = 0;
  std::function<void()> on_stop_;
  std::optional<std::chrono::steady_clock::time_point> first_signal_;
};

}  // namespace cloudflaredump::system
