// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/full_capture.h"

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/bucket_ownership.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/capture/description.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/part_collection.h"
#include "extcap/capture/running_captures.h"
#include "extcap/config/interfaces.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// How long the PUT of a stop is waited for. Wireshark kills an extcap 30 s after SIGTERM.
constexpr Duration kStopPut = 3s;

/// What finds the captures of a directory; the preflight listing looks for none in particular.
constexpr const char* kAnyCapture = "pcap_";

}  // namespace

FullCapture::FullCapture(const CaptureContext& context, http::Http& http, std::string account_id)
    : context_(context),
      http_(http),
      account_id_(std::move(account_id)),
      started_(system::ProcessEnvironment),
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
      "capture %s %s; get it with the interface cloudflare-download, where it is "
      "preselected, or with: cloudflaredump capture -i cloudflare-download --pcap-id %s",
      job_->id.c_str(),
      stop_sent_ || finished_ ? "was stopped before all of it was delivered"
                              : "goes on at Cloudflare",
      job_->id.c_str());
}

Result<void> FullCapture::RunSteps() {
  auto request = MakeRequest();
  if (!request) return Failure(request);
  if (auto readable = LookAtBucket(); !readable) return readable;
  StopLeftovers();
  if (auto begun = Start(*request); !begun) return begun;
  auto job = Watch();
  if (!job) return Failure(job);
  job_ = *std::move(job);
  finished_ = true;
  outcome_.pcap_ids.push_back(job_->id);
  // What was attached to was asked for by others, with another filter and for another bucket.
  if (!ours_) return CollectOthersParts(context_, http_, *job_, outcome_);
  auto place = OpenSource(context_, http_, context_.settings.Text(config::Opt::kDestinationConf),
                          context_.WithJob().retry_budget);
  if (!place) return Failure(place);
  if (!job_->packet_limit) job_->packet_limit = request->packet_limit;
  if (!job_->byte_limit) job_->byte_limit = request->byte_limit;
  if (job_->filter_v1 == api::FilterV1()) job_->filter_v1 = request->filter_v1;
  const std::string asked = FormatSpan(seconds(request->time_limit)) + " at " + request->colo;
  return CollectParts(context_, *place, *job_, plan_.exact, asked, outcome_);
}

Result<void> FullCapture::LookAtBucket() {
  // What cannot be read would be captured for nothing: the user learns it before, not after.
  context_.Tell("looking at the bucket");
  auto place = OpenSource(context_, http_, context_.settings.Text(config::Opt::kDestinationConf),
                          context_.BeforeJob().retry_budget);
  if (!place) return Failure(place);
  auto listed = place->bucket->List(kAnyCapture, context_.stop.Stopping());
  if (!listed) return Failure(listed);
  return {};
}

Result<api::PcapRequest> FullCapture::MakeRequest() {
  const config::Settings& settings = context_.settings;
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kFull;
  request.time_limit = settings.Number(config::Opt::kTimeLimit);
  request.packet_limit = settings.Number(config::Opt::kPacketLimit);
  if (settings.Has(config::Opt::kByteLimit))
    request.byte_limit = settings.Number(config::Opt::kByteLimit);
  const bool own_colo = context_.interface.kind == config::InterfaceKind::kColo;
  request.colo = own_colo ? context_.interface.colo : settings.Text(config::Opt::kColo);
  if (!config::IsColoShape(request.colo)) {
    return Fail(request.colo.empty()
                    ? "no data center; give Cloudflare's code of one with --colo, such as ORD."
                    : Format("\"%s\" is no data center's code; a code is three letters and at most "
                             "three digits, such as ORD or ord02.",
                             CleanLine(request.colo, 40).c_str()),
                Error::Kind::kUsage);
  }
  request.destination_conf = settings.Text(config::Opt::kDestinationConf);
  if (request.destination_conf.empty()) {
    return Fail("no bucket",
                "a full capture is written to your own: give it with --destination-conf "
                "s3://BUCKET/DIRECTORY?region=REGION, once it is registered (cloudflaredump "
                "register-bucket)",
                Error::Kind::kUsage);
  }
  // R2's keys are for the registration only ("Set up a bucket").
  if (request.destination_conf.starts_with("r2://")) {
    request.destination_conf = DropKeys(request.destination_conf);
  }
  if (auto narrow = CheckBroad(); !narrow) return Failure(narrow);
  request.filter_v1 = ToFilterV1(plan_.requests.front());
  return request;
}

Result<void> FullCapture::CheckBroad() {
  if (!plan_.broad) return {};
  const Error refusal = filter::BroadPlanError(plan_);
  if (context_.settings.Text(config::Opt::kIfBroad) != "warn") return std::unexpected(refusal);
  context_.Warn(ClauseOf(refusal) + ".");
  return {};
}

void FullCapture::StopLeftovers() {
  for (const StartedCapture& left : started_.ToStop(account_id_)) {
    const auto id = left.pcap_id.empty() ? FindLeftover(left) : std::optional(left.pcap_id);
    if (!id) continue;
    system::Log(system::LogLevel::kInfo, "stopping %s, which an earlier run could not stop",
                id->c_str());
    const auto stopped = context_.api.Stop(*id, context_.BeforeJob());
    // A final refusal means that it is over: there is nothing to stop any more.
    if (stopped || stopped.error().kind == Error::Kind::kFinal) {
      started_.NeedsStop(left.key, false);
    }
  }
}

std::optional<std::string> FullCapture::FindLeftover(const StartedCapture& left) {
  auto jobs = context_.api.List(context_.BeforeJob());
  if (!jobs) return std::nullopt;
  for (const api::PcapJob& job : *jobs) {
    if (job.phase() != api::JobPhase::kGoing || !api::IsPcapId(job.id) || !left.Asked(job))
      continue;
    started_.Started(left.key, job.id);
    return job.id;
  }
  // The list says that nothing came of it, or that it is over.
  started_.Forget(left.key);
  return std::nullopt;
}

Result<void> FullCapture::Start(const api::PcapRequest& request) {
  for (;;) {
    // Two of this user's captures that begin at once would both see a free account.
    auto turn = started_.AwaitTurn(context_.loop, context_.stop.Stopping());
    auto jobs = context_.api.List(context_.BeforeJob());
    if (!jobs) return Failure(jobs);
    const api::PcapJob* const running = FindRunning(*jobs, context_.loop.Now());
    if (running == nullptr) return Post(request, *jobs);
    const std::string& wish = context_.settings.Text(config::Opt::kIfBusy);
    if (wish == "fail") return std::unexpected(BusyError(*running, context_.loop.Now()));
    if (wish == "attach") {
      job_ = *running;  // not ours: never stopped
      return {};
    }
    turn.reset();
    if (auto over = AwaitOther(*running); !over) return over;
  }
}

Result<void> FullCapture::AwaitOther(const api::PcapJob& running) {
  api::Patience patience = context_.WithJob();
  patience.stop = context_.stop.Stopping();
  const system::SteadyTime deadline = DeadlineOf(running, context_);
  auto over = AwaitJob(
      context_.api, context_.loop, running, deadline, patience, [&](const api::PcapJob& told) {
        context_.Tell("waiting for the full capture " + NameRunning(told, context_.loop.Now()));
      });
  if (!over && over.error().kind == Error::Kind::kInterrupted) {
    return Failure(over);
  }
  // That it failed is not our trouble; that it does not end is.
  if (!over && context_.loop.Steady() >= deadline) {
    return std::unexpected(BusyError(running, context_.loop.Now()));
  }
  if (context_.loop.RunUntil(context_.stop.Stopping(), context_.loop.Steady() + Duration(1s))) {
    return Stopped();
  }
  return {};
}

Result<void> FullCapture::Post(const api::PcapRequest& request,
                               const std::vector<api::PcapJob>& known) {
  key_ = started_.Intend(account_id_, request, context_.loop.Now());
  context_.Tell("asking for a full capture at " + request.colo);
  auto job = context_.api.Create(request, known, context_.BeforeJob());
  if (job) {
    job_ = *std::move(job);
    ours_ = true;
    started_.Started(key_, job_->id);
    system::Log(system::LogLevel::kInfo, "full capture %s started at %s", job_->id.c_str(),
                request.colo.c_str());
    return {};
  }
  if (job.error().kind == Error::Kind::kInterrupted) return FindInterrupted(request, known);
  if (job.error().kind == Error::Kind::kPassing) {
    // Nobody could tell whether it was made: the next run looks again.
    started_.NeedsStop(key_, true);
    return Failure(job);
  }
  started_.Forget(key_);
  return std::unexpected(ExplainRefusal(job.error(), request.destination_conf));
}

Error FullCapture::ExplainRefusal(Error refusal, const std::string& destination_conf) {
  // Somebody else may have been faster: then the capture in the way is the better answer.
  auto jobs = context_.api.List(context_.BeforeJob());
  const api::PcapJob* const running = jobs ? FindRunning(*jobs, context_.loop.Now()) : nullptr;
  if (running != nullptr) return BusyError(*running, context_.loop.Now());
  auto buckets = context_.api.ListBuckets(context_.BeforeJob());
  const auto trouble = buckets ? OwnershipTrouble(*buckets, destination_conf) : std::nullopt;
  if (!trouble) return refusal;
  refusal.remedy = refusal.remedy.empty() ? *trouble : refusal.remedy + "; " + *trouble;
  return refusal;
}

Result<void> FullCapture::FindInterrupted(const api::PcapRequest& request,
                                          const std::vector<api::PcapJob>& known) {
  const Bounded bounded(context_.loop, kStopPut);
  auto jobs = context_.api.List(bounded.patience());
  const auto found = jobs ? api::FindMade(*jobs, known, request) : std::nullopt;
  if (!found) {
    // Unknown is not the same as not made: if nobody could tell, the next run looks again.
    if (jobs) {
      started_.Forget(key_);
    } else {
      started_.NeedsStop(key_, true);
    }
    return Stopped();
  }
  job_ = *found;
  ours_ = true;
  started_.Started(key_, job_->id);
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
  patience.stop = context_.stop.Leaving();
  // After "Finish now" nobody waits for us to be gone.
  const auto wait = seconds(context_.settings.Number(
      context_.stop.finishing() ? config::Opt::kMaxWait : config::Opt::kStopWait));
  return AwaitJob(context_.api, context_.loop, *job_, context_.loop.Steady() + wait, patience,
                  told);
}

void FullCapture::TellState(const api::PcapJob& job) {
  failed_ = job.phase() == api::JobPhase::kFailed;
  const Duration age = context_.loop.Steady() - watched_since_;
  std::string state = job.status.empty() ? "going on" : CleanLine(Redact(job.status), 40);
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
  started_.NeedsStop(key_, true);
  const Bounded bounded(context_.loop, kStopPut);
  const auto stopped = context_.api.Stop(job_->id, bounded.patience());
  stop_sent_ = stopped.has_value();
  if (stopped) {
    started_.NeedsStop(key_, false);
    system::Log(system::LogLevel::kInfo, "stopped %s at Cloudflare", job_->id.c_str());
  } else {
    system::Log(system::LogLevel::kError, "could not stop %s: %s", job_->id.c_str(),
                SentenceOf(stopped.error()).c_str());
  }
}

}  // namespace cloudflaredump::capture
