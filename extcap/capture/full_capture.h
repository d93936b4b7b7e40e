// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/bucket_source.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/started_captures.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// A full capture from request to verdict: POST, watch, collect the files from the user's bucket,
/// deliver them as one. A stop is passed on to Cloudflare for a capture that we started, in every
/// state in which it may be running, and what was captured is still delivered while somebody reads.
class FullCapture {
 public:
  /// `http` reads the bucket; `account_id` names the state file's records. All outlive this object.
  FullCapture(const CaptureContext& context, http::Http& http, std::string account_id);

  Outcome Run();

 private:
  Result<void> RunSteps();
  /// The POST's content, from the settings; refuses what the plan shows to be broad.
  Result<api::PcapRequest> MakeRequest();
  Result<void> LookAtBucket();
  Result<void> CheckBroad();
  /// Stops what an earlier run could not stop.
  void StopLeftovers();
  /// The capture that a POST without an answer made, if it is still going.
  std::optional<std::string> FindLeftover(const StartedCapture& left);
  /// Starts the capture, or waits for, attaches to, or complains of the one that is running.
  Result<void> Start(const api::PcapRequest& request);
  Result<void> AwaitOther(const api::PcapJob& running);
  Result<void> Post(const api::PcapRequest& request, const std::vector<api::PcapJob>& known);
  /// A refused POST, with its cause and remedy where Cloudflare's lists tell them.
  Error ExplainRefusal(Error refusal, const std::string& destination_conf);
  /// After a stop while the POST's answer was due: finds what it started, if anything.
  Result<void> FindInterrupted(const api::PcapRequest& request,
                               const std::vector<api::PcapJob>& known);
  Result<api::PcapJob> Watch();
  void TellState(const api::PcapJob& job);
  /// PUT stop, at most 3 s; what fails is left to the next run.
  void StopAtCloudflare();
  std::string LeftBehind() const;

  CaptureContext context_;
  http::Http& http_;
  std::string account_id_;
  StartedCaptures started_;
  filter::Plan plan_;
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
