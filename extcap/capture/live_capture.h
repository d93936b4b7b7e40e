// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/delivery.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/sample_file.h"
#include "extcap/capture/window.h"
#include "extcap/capture/window_capture.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// Samples one after another, from --start-time on until a stop or --max-requests: windows that
/// follow each other without a gap, each delivered as soon as its requests have answered. A window
/// looks again at the end of the one before, as long as the lag, for samples that came late; what
/// was delivered is not delivered again. A window that fails is part of the next one. Keeps nothing
/// that grows with the packets: memory is that of two windows.
class LiveCapture {
 public:
  explicit LiveCapture(const CaptureContext& context);
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  Outcome Run();

 private:
  Result<void> CaptureWindows();
  /// Captures one window and delivers it.
  Result<void> CaptureNext();
  /// The next window, once Cloudflare takes a request for it.
  Result<Window> AwaitWindow();
  Result<void> AwaitTime(Duration least);
  Result<void> Deliver(const Window& window, std::vector<SampleFile> files);
  Result<void> DeliverHeld();
  void NoteFailure();
  /// Before this no window may end, for Cloudflare might not have its samples any more.
  WallTime OldestEnd() const;
  /// Goes on 24 hours back if the next window would begin earlier, and says what is lost.
  void LeaveOutWhatIsGone();
  /// Whether another window may be asked for after `error`.
  bool MayGoOn(const Error& error) const;
  Result<void> AwaitNextTry(const Error& error);
  /// Notes how much of `window` its `files` cover; returns what is to be said of that.
  std::string NoteCoverage(const Window& window, const std::vector<SampleFile>& files);
  /// Tells the status while the next window is awaited.
  void TellNext(Duration left, const char* why = "") const;
  /// What a status begins with: the last window and "; ".
  std::string LastWindow() const;
  /// What the requests of a window cost, if they are several: for people who may want fewer.
  std::string PriceOfWindow() const;
  std::string Asked() const;

  const CaptureContext& context_;
  const filter::Plan plan_;
  Outcome outcome_;
  WindowCapture requests_;
  Delivery delivery_;
  filter::DuplicateFilter duplicates_;
  Duration lag_;
  Duration longest_;  ///< a window's length, what it shares with the one before included
  WallTime start_;
  WallTime from_;              ///< everything before was captured
  WallTime settled_;           ///< before it nothing can have come late
  WallTime settled_after_;     ///< the same once the window in hand is captured
  std::uint64_t windows_ = 0;  ///< delivered
  std::uint64_t gaps_ = 0;
  std::optional<Error> failure_;  ///< of the last try
  bool sink_failed_ = false;      ///< nothing more can be delivered
  std::vector<SampleFile> held_;  ///< of a window that is not whole
  Window held_window_;
  Duration asked_{0};         ///< the time of all windows
  Duration covered_{0};       ///< of it, what limits left
  bool last_ = false;         ///< "Finish now" was pressed, and the window in hand reaches the end
  std::string last_window_;   ///< "window 12:03:10 to 12:04:10: 188 packets"
  std::string last_comment_;  ///< the same for the file, with time zones
  unsigned limited_ = 0;      ///< windows in a row that reached the packet limit
  std::string narrower_;      ///< filters that ask for less, once there were two
};

}  // namespace cloudflaredump::capture
