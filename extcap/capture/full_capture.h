// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// A full capture from request to verdict: POST, watch, collect the files from the user's bucket,
/// deliver them as one. A stop is passed on to Cloudflare for a capture that we started, in every
/// state in which it may be running, and what was captured is still delivered while somebody reads.
class FullCapture {
 public:
  explicit FullCapture(const CaptureContext& context);

  Outcome Run();

 private:
  Result<void> RunSteps();
  /// Notes as losses what a capture that was attached to does not have of what was asked for.
  void NoteWhatItLacks(const api::PcapRequest& request);
  /// What cannot be read would be captured for nothing: the user learns it before, not after.
  Result<void> LookAtBucket() const;
  Result<void> Post(const api::PcapRequest& request, const std::vector<api::PcapJob>& known);
  /// A refused POST, with its cause and remedy where Cloudflare's lists tell them.
  Error ExplainRefusal(Error refusal, const std::string& destination_conf) const;
  /// After a stop while the POST's answer was due: finds what it started, if anything.
  Result<void> FindInterrupted(const api::PcapRequest& request,
                               const std::vector<api::PcapJob>& known);
  Result<api::PcapJob> Watch();
  void TellState(const api::PcapJob& job);
  /// PUT stop, at most 3 s; what fails is left to the next run.
  void StopAtCloudflare();
  std::string LeftBehind() const;

  const CaptureContext& context_;
  const filter::Plan plan_;
  Outcome outcome_;
  std::string key_;                  ///< of our record in the state file
  std::optional<api::PcapJob> job_;  ///< once there is one
  bool ours_ = false;                ///< we started it, so we may stop it
  bool stop_sent_ = false;
  bool finished_ = false;  ///< Cloudflare has said that it is over
  bool failed_ = false;    ///< Cloudflare has said that it failed: there is nothing to get later
  system::SteadyTime watched_since_;
};

}  // namespace cloudflaredump::capture
