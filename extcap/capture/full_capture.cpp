// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/full_capture.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/account_turn.h"
#include "extcap/capture/bucket_ownership.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/capture/full_delivery.h"
#include "extcap/capture/full_request.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/running_captures.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// How long the PUT of a stop is waited for. Wireshark kills an extcap 30 s after SIGTERM.
constexpr Duration kStopPut = 3s;

}  // namespace

FullCapture::FullCapture(const CaptureContext& context)
    : context_(context),
      plan_(filter::MakePlan(
          context.filter,
          {.max_requests = 1, .pin_ipv6 = context.settings.IsOn(config::Opt::kFilterIpv6)})) {}

Outcome FullCapture::Run() {
  outcome_.Note(RunSteps());
  if (context_.stop.AtLeast(system::StopLevel::kStop)) outcome_.stopped = true;
  // A stop or a fault that keeps the packets from being delivered now does not lose them.
  const bool undelivered =
      job_ && !failed_ &&
      (!outcome_.stream_begun || context_.stop.AtLeast(system::StopLevel::kLeave));
  if (undelivered && (outcome_.stopped || outcome_.error)) outcome_.left_behind = LeftBehind();
  return outcome_;
}

std::string FullCapture::LeftBehind() const {
  return Format(
      "capture %s %s; get it with the interface cloudflare-download, where it is preselected, or "
      "with: %s",
      job_->id.c_str(),
      finished_    ? "was stopped before all of it was delivered"
      : stop_sent_ ? "was told to stop, and has not ended yet"
                   : "goes on at Cloudflare",
      DownloadCommand(job_->id, context_.filter.text()).c_str());
}

Result<void> FullCapture::RunSteps() {
  auto request = MakeFullRequest(context_, plan_);
  if (!request) return Failure(request);
  if (auto readable = LookAtBucket(); !readable) return readable;
  auto account = AwaitAccountTurn(context_);
  if (!account) return Failure(account);
  job_ = account->attach;  // not ours: never stopped
  if (!job_) {
    if (auto posted = Post(*request, account->known); !posted) return posted;
    FillIn(*job_, *request);
  }
  account->turn.reset();
  const WallTime began = context_.loop.Now();
  auto job = Watch();
  if (!job) return Failure(job);
  job_ = *std::move(job);
  finished_ = true;
  outcome_.pcap_ids.push_back(job_->id);
  const WallTime now = context_.loop.Now();
  outcome_.window = {std::min(job_->submitted_at().value_or(began), now), now};
  outcome_.colo = job_->colo.value_or(request->colo);
  // What was attached to was asked for by others, with another filter and for another bucket.
  if (!ours_) {
    NoteWhatItLacks(*request);
    return DeliverOthersFull(context_, *job_, outcome_);
  }
  auto place = OpenSource(context_, context_.settings.Text(config::Opt::kDestinationConf),
                          context_.WithJob().retry_budget);
  if (!place) return Failure(place);
  FillIn(*job_, *request);
  // A stop or the packet limit may have ended it before.
  const std::string asked =
      "up to " + FormatSpan(seconds(request->time_limit)) + " at " + request->colo;
  return DeliverFull(context_, *place, *job_, plan_.exact, asked, outcome_);
}

void FullCapture::NoteWhatItLacks(const api::PcapRequest& request) {
  if (!api::IsColo(*job_, request.colo)) {
    outcome_.losses.push_back("the capture that this one was attached to is at " +
                              CleanLine(job_->colo.value_or(""), 20) + ", not at " + request.colo);
  }
  if (!api::Covers(job_->filter_v1, request.filter_v1)) {
    outcome_.losses.push_back("the capture that this one was attached to has the " +
                              FilterOf(*job_) + ", and other packets are not in it");
  }
}

Result<void> FullCapture::LookAtBucket() const {
  context_.Tell("looking at the bucket");
  auto place = OpenSource(context_, context_.settings.Text(config::Opt::kDestinationConf),
                          context_.BeforeJob().retry_budget);
  if (!place) return Failure(place);
  return place->bucket->Probe(context_.stop.Stopping());
}

Result<void> FullCapture::Post(const api::PcapRequest& request,
                               const std::vector<api::PcapJob>& known) {
  key_ = context_.started.Intend(context_.account_id, request, context_.filter.text(),
                                 context_.loop.Now());
  context_.Tell("asking for a full capture at " + request.colo);
  auto job = context_.api.Create(request, known, context_.BeforeJob());
  if (job) {
    job_ = *std::move(job);
    ours_ = true;
    context_.started.Started(key_, job_->id);
    system::Log(system::LogLevel::kInfo, "full capture %s started at %s", job_->id.c_str(),
                request.colo.c_str());
    return {};
  }
  if (job.error().kind == Error::Kind::kInterrupted) return FindInterrupted(request, known);
  if (job.error().kind == Error::Kind::kPassing) {
    // Nobody could tell whether it was made: the next run looks again.
    context_.started.NeedsStop(key_, true);
    return Failure(job);
  }
  context_.started.Forget(key_);
  return std::unexpected(ExplainRefusal(job.error(), request.destination_conf));
}

Error FullCapture::ExplainRefusal(Error refusal, const std::string& destination_conf) const {
  // Somebody else may have been faster: then the capture in the way is the better answer.
  auto jobs =
      ListCaptures(context_.api, context_.started, context_.account_id, context_.BeforeJob());
  const api::PcapJob* const running = jobs ? FindRunning(*jobs, context_.loop.Now()) : nullptr;
  if (running != nullptr) return BusyError(*running, context_.loop.Now());
  auto buckets = context_.api.ListBuckets(context_.BeforeJob());
  auto trouble = buckets ? OwnershipTrouble(*buckets, destination_conf) : std::nullopt;
  if (buckets && !trouble) trouble = SpelledOtherwise(*buckets, destination_conf);
  // Source: cloudflare-docs, "Traffic steering", beta limitations (2026-10).
  const std::string cause = trouble.value_or(
      "if the account is on Unified Routing, Cloudflare does not support full captures there yet");
  refusal.remedy = refusal.remedy.empty() ? cause : refusal.remedy + "; " + cause;
  return refusal;
}

Result<void> FullCapture::FindInterrupted(const api::PcapRequest& request,
                                          const std::vector<api::PcapJob>& known) {
  const Bounded bounded(context_.loop, kStopPut);
  auto jobs = context_.api.List(bounded.patience());
  const auto found = jobs ? FindMade(*jobs, known, request) : std::nullopt;
  if (!found) {
    // Unknown is not the same as not made, and the list may lag behind: the next run looks again.
    context_.started.NeedsStop(key_, true);
    return Stopped();
  }
  job_ = *found;
  ours_ = true;
  context_.started.Started(key_, job_->id);
  return {};
}

Result<api::PcapJob> FullCapture::Watch() {
  watched_since_ = context_.loop.Steady();
  const auto told = [&](const api::PcapJob& job) { TellState(job); };
  api::Patience patience = context_.WithJob();
  if (ours_) patience.stop = context_.stop.Stopping();
  auto done =
      AwaitJob(context_.api, context_.loop, *job_, DeadlineOf(*job_, context_), patience, told);
  if (done || done.error().kind != Error::Kind::kInterrupted) return done;
  if (ours_) StopAtCloudflare();
  if (!ours_ || context_.stop.AtLeast(system::StopLevel::kLeave)) return done;
  patience.stop = context_.stop.WaitIsOver();
  // After "Finish now" nobody waits for us to be gone.
  const auto wait = seconds(context_.settings.Number(
      context_.stop.finishing() ? config::Opt::kMaxWait : config::Opt::kStopWait));
  return AwaitJob(context_.api, context_.loop, *job_, context_.loop.Steady() + wait, patience,
                  told);
}

void FullCapture::TellState(const api::PcapJob& job) {
  failed_ = job.phase() == api::JobPhase::kFailed;
  const Duration age = context_.loop.Steady() - watched_since_;
  std::string state = job.status.empty() ? "going on" : CleanLine(job.status, 40);
  if (job.packets_captured) state += ", " + CountedPackets(*job.packets_captured);
  const auto limit = seconds(job.time_limit.value_or(0));
  if (job.status == "running" && age < limit) {
    const auto left = std::chrono::ceil<seconds>(limit - age).count();
    state += Format(", %lld:%02lld left", static_cast<long long>(left / 60),
                    static_cast<long long>(left % 60));
  } else {
    state += ", " + FormatSpan(age);
  }
  context_.Tell(stop_sent_ ? "stopping: " + state : state);
}

void FullCapture::StopAtCloudflare() {
  context_.Tell("stopping the capture at Cloudflare");
  context_.started.NeedsStop(key_, true);
  const Bounded bounded(context_.loop, kStopPut);
  const auto stopped = context_.api.Stop(job_->id, bounded.patience());
  stop_sent_ = stopped.has_value();
  if (stopped) {
    context_.started.NeedsStop(key_, false);
    system::Log(system::LogLevel::kInfo, "stopped %s at Cloudflare", job_->id.c_str());
  } else {
    system::Log(system::LogLevel::kError, "could not stop %s: %s", job_->id.c_str(),
                SentenceOf(stopped.error()).c_str());
  }
}

}  // namespace cloudflaredump::capture
