// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/delivery.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/sample_file.h"
#include "extcap/capture/window.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// A sample capture from request to verdict: for each window, oldest first, the plan's requests one
/// a minute; a window's packets are held until all its requests have answered, then filtered,
/// freed of duplicates, merged by time and delivered. A stop delivers what is held.
class SampleCapture {
 public:
  explicit SampleCapture(const CaptureContext& context);
  SampleCapture(const SampleCapture&) = delete;
  SampleCapture& operator=(const SampleCapture&) = delete;

  Outcome Run();

 private:
  Result<void> CaptureWindows(const std::vector<Window>& windows);
  /// Captures one window; `files` keeps what was downloaded also when an Error ends it.
  Result<void> CaptureWindow(const Window& window, std::vector<SampleFile>& files);
  Result<SampleFile> CaptureRequest(const Window& window, std::size_t number);
  /// Posts `request` when Cloudflare takes one, telling how long that is.
  Result<api::PcapJob> Post(const api::PcapRequest& request, Duration interval,
                            const std::function<void(Duration)>& countdown);
  api::Patience BeforeRequest() const;

  const CaptureContext& context_;
  const filter::Plan plan_;
  Outcome outcome_;
  Delivery delivery_;
  WindowDuplicates duplicates_;
  bool posted_ = false;   ///< the request in hand became a job
  std::string progress_;  ///< what earlier requests of the window gave: "inbound done, 214 packets"
};

}  // namespace cloudflaredump::capture
