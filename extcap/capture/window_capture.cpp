// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window_capture.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {

using std::chrono::seconds;

filter::Plan SamplePlan(const CaptureContext& context) {
  return filter::MakePlan(
      context.filter,
      {.max_requests = static_cast<int>(context.settings.Number(config::Opt::kRequestsPerWindow)),
       .pin_ipv6 = context.settings.IsOn(config::Opt::kFilterIpv6)});
}

Duration WindowCapture::interval() const {
  return seconds(context_.settings.Number(config::Opt::kSampleInterval));
}

WindowCapture::~WindowCapture() {
  if (!outcome_.pcap_ids.empty()) context_.started.RunEnded(outcome_.pcap_ids);
}

std::vector<std::string> WindowCapture::SamplesOfEndedRuns() const {
  if (run_ != Run::kLive) return {};  // nothing else yields, so the record need not be read
  constexpr int kTurnsMissed = 3;
  const Duration turns = context_.loop.ToReal(interval() * kTurnsMissed);
  return context_.started.SamplesOfEndedRuns(context_.account_id, context_.loop.Now() - turns);
}

bool WindowCapture::Allows(std::size_t windows) const {
  const std::uint64_t allowed = context_.settings.Number(config::Opt::kMaxRequests);
  return allowed == 0 || outcome_.pcap_ids.size() + windows * plan_.requests.size() <= allowed;
}

std::string WindowCapture::NameOf(std::size_t request) const {
  const auto is_inbound = [](const filter::Box& box) {
    return box.destination_address && !box.source_address;
  };
  const auto is_outbound = [](const filter::Box& box) {
    return box.source_address && !box.destination_address;
  };
  const filter::Box& box = plan_.requests[request];
  if (is_inbound(box) && std::ranges::count_if(plan_.requests, is_inbound) == 1) return "inbound";
  if (is_outbound(box) && std::ranges::count_if(plan_.requests, is_outbound) == 1) {
    return "outbound";
  }
  return Format("request %zu", request + 1);
}

Result<void> WindowCapture::Capture(const Window& window, const std::string& progress,
                                    std::vector<SampleFile>& files) {
  progress_ = progress;
  for (std::size_t request = 0; request < plan_.requests.size(); ++request) {
    auto file = CaptureRequest(window, request);
    if (!file) return Failure(file);
    if (plan_.requests.size() > 1) {
      progress_ += Format("%s done, %s packets; ", NameOf(request).c_str(),
                          WithThousands(file->summary.packets).c_str());
    }
    files.push_back(*std::move(file));
  }
  return {};
}

api::Patience WindowCapture::BeforeRequest() const {
  api::Patience patience = context_.BeforeJob();
  // Once something of the run is there, a short fault must not cost the rest.
  if (!outcome_.pcap_ids.empty()) patience.retry_budget = context_.WithJob().retry_budget;
  if (run_ == Run::kLive) patience.stop = context_.stop.StoppingSoon();
  return patience;
}

Result<std::vector<api::PcapJob>> WindowCapture::AwaitTurn(const TurnCountdown& countdown) {
  posted_ = false;
  return AwaitSampleTurn(
      context_.api, context_.loop,
      {.interval = interval(), .yielding = run_ == Run::kLive ? &yielding_ : nullptr},
      BeforeRequest(), countdown);
}

Result<api::PcapJob> WindowCapture::Post(const api::PcapRequest& request,
                                         const TurnCountdown& countdown) {
  constexpr int kMostTurns = 10;
  for (int turn = 1;; ++turn) {
    auto known = AwaitTurn(countdown);
    if (!known) return Failure(known);
    const std::string key = context_.started.Intend(
        context_.account_id, request, context_.filter.text(), context_.loop.Now(),
        run_ == Run::kLive ? StartedCaptures::Use::kLive : StartedCaptures::Use::kOne);
    auto job = context_.api.Create(request, *known, BeforeRequest());
    if (job) {
      context_.started.Started(key, job->id);
      return job;
    }
    context_.started.Forget(key);
    const bool too_early = context_.api.last_status() == 429;
    if (job.error().kind != Error::Kind::kPassing || !too_early || turn == kMostTurns) return job;
    // Somebody else may have used the turn between the look and the request.
    const auto now = context_.api.List(BeforeRequest());
    if (!now || SampleWait(*now, context_.loop, interval()) == Duration(0)) return job;
  }
}

Result<SampleFile> WindowCapture::CaptureRequest(const Window& window, std::size_t number) {
  const config::Settings& settings = context_.settings;
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kSimple;
  request.time_limit =
      static_cast<std::uint64_t>(std::chrono::ceil<seconds>(window.end - window.start).count());
  request.packet_limit = settings.Number(config::Opt::kPacketLimit);
  request.offset_time = window.end;
  request.filter_v1 = ToFilterV1(plan_.requests[number]);
  const std::string awaited =
      plan_.requests.size() > 1 ? NameOf(number) : std::string("Cloudflare's next sample");
  auto job = Post(request, [&](Duration left, bool leaves_turn) {
    context_.Tell(progress_ + "waiting " + FormatSpan(left) + " for " + awaited +
                  (leaves_turn ? kLeavesTurn : ""));
  });
  if (!job) return Failure(job);
  posted_ = true;
  outcome_.pcap_ids.push_back(job->id);
  system::Log(system::LogLevel::kInfo, "sample %s requested: %s", job->id.c_str(),
              api::WritePcapRequest(request).c_str());

  const system::SteadyTime started = context_.loop.Steady();
  const auto deadline = started + seconds(settings.Number(config::Opt::kMaxWait));
  bool failed = false;
  auto finished =
      AwaitJob(context_.api, context_.loop, *job, deadline, context_.WithJob(),
               [&](const api::PcapJob& told) {
                 failed = told.phase() == api::JobPhase::kFailed;
                 const Duration age = context_.loop.Steady() - started;
                 context_.Tell(progress_ + CleanLine(told.status, 40) + ", " + FormatSpan(age));
               });
  if (!finished) {
    if (finished.error().kind != Error::Kind::kInterrupted && !failed) {
      outcome_.left_behind = HowToGetLater(job->id, context_.filter.text());
    }
    return Failure(finished);
  }
  FillIn(*finished, request);
  return FetchSample(context_, *finished, progress_ + "downloading");
}

}  // namespace cloudflaredump::capture
