// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

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

/// A sample capture from request to verdict: for each window, oldest first, the plan's requests one
/// a minute; a window's packets are held until all its requests have answered, then filtered,
/// freed of duplicates, merged by time and delivered. A window that reached the packet limit is
/// asked again in halves while --max-requests allows it. A stop delivers what is held.
class SampleCapture {
 public:
  explicit SampleCapture(const CaptureContext& context);
  SampleCapture(const SampleCapture&) = delete;
  SampleCapture& operator=(const SampleCapture&) = delete;

  Outcome Run();

 private:
  Result<void> CaptureWindows(const std::vector<Window>& windows);
  /// Captures one window, in halves where that is needed, and delivers it. An Error of Cloudflare's
  /// comes after what was held has been delivered.
  Result<void> CaptureWindow(const Window& window);
  Result<void> CaptureHalves(const Window& window, std::vector<SampleFile> whole);
  Result<void> Deliver(const Window& window, std::vector<SampleFile> files);
  void NoteRequestsNotMade(const std::vector<Window>& windows);
  void CountCovered(const Window& window, const std::vector<SampleFile>& files);
  /// Whether `window`, of which `files` came, is to be asked in halves.
  bool DeservesHalves(const Window& window, const std::vector<SampleFile>& files) const;

  const CaptureContext& context_;
  const filter::Plan plan_;
  Outcome outcome_;
  WindowCapture requests_;
  Delivery delivery_;
  filter::DuplicateFilter duplicates_;
  std::size_t made_ = 0;          ///< requests, but for those for halves
  std::size_t windows_left_ = 0;  ///< windows and halves that are still to be asked
  WallTime whole_until_;          ///< of the window in hand all was delivered up to here
  std::string progress_;          ///< why a window is asked again; empty before halves
  Duration covered_{0};           ///< of the time of all windows
  WallTime covered_until_;        ///< the end of what is counted in it
  bool limited_ = false;          ///< a limit ended a window that was not asked again
};

}  // namespace cloudflaredump::capture
