// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/sample_file.h"
#include "extcap/capture/sample_pacing.h"
#include "extcap/capture/window.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// The plan of a sample: at most --requests-per-window requests.
filter::Plan SamplePlan(const CaptureContext& context);

/// Why a turn is awaited so long, behind what is said of the wait.
inline constexpr const char* kLeavesTurn = ", leaving a turn to another sample of the account";

/// Has Cloudflare sample a window of time by the requests of a plan, one a minute, and fetches what
/// they bring.
class WindowCapture {
 public:
  /// What a run of windows does that others may need to know of.
  enum class Run {
    kOnce,  ///< As soon as may be; "Finish now" ends it before the next request.
    kLive,  ///< Leaves turns to others; what "Finish now" asks for is taken to its end.
  };

  /// `context`, `plan` and `outcome`, which gets the ids, outlive this object.
  WindowCapture(const CaptureContext& context, const filter::Plan& plan, Run run, Outcome& outcome)
      : context_(context),
        plan_(plan),
        run_(run),
        outcome_(outcome),
        yielding_{.ours = outcome.pcap_ids, .before = SamplesOfEndedRuns()} {}
  /// Notes that the run has ended: this user's live samples leave no turns to it any more.
  ~WindowCapture();
  WindowCapture(const WindowCapture&) = delete;
  WindowCapture& operator=(const WindowCapture&) = delete;

  /// Captures `window`: a file for each request of the plan, in its order. Each status begins with
  /// `progress`. `files` keeps what was downloaded also when an Error ends it.
  Result<void> Capture(const Window& window, const std::string& progress,
                       std::vector<SampleFile>& files);

  /// Waits until Cloudflare takes the next request. Returns the list of captures.
  Result<std::vector<api::PcapJob>> AwaitTurn(const TurnCountdown& countdown);

  /// Whether the request in hand became a capture at Cloudflare: then trying again may help.
  bool posted() const { return posted_; }

  /// The least time between two requests, on the loop's clock.
  Duration interval() const;

  /// Whether --max-requests allows so many more windows.
  bool Allows(std::size_t windows) const;

 private:
  /// What a request is after, for people: "inbound" or "outbound" if only one is, "request 2".
  std::string NameOf(std::size_t request) const;
  /// The samples of this user's runs that have ended, or seem to: one that goes on takes its turns.
  std::vector<std::string> SamplesOfEndedRuns() const;
  Result<SampleFile> CaptureRequest(const Window& window, std::size_t number);
  /// Posts `request` when Cloudflare takes one, telling how long that is.
  Result<api::PcapJob> Post(const api::PcapRequest& request, const TurnCountdown& countdown);
  api::Patience BeforeRequest() const;

  const CaptureContext& context_;
  const filter::Plan& plan_;
  const Run run_;
  Outcome& outcome_;
  const Yielding yielding_;
  bool posted_ = false;
  std::string progress_;  ///< what earlier requests of the window gave: "inbound done, 214 packets"
};

}  // namespace cloudflaredump::capture
