// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_capture.h"

#include <algorithm>
#include <tuple>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/description.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/sample_delivery.h"
#include "extcap/capture/sample_pacing.h"
#include "extcap/capture/verdict.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using std::chrono::seconds;

/// What a request of a two-way plan is after, for the status: "inbound", "outbound", "request 2".
std::string NameOf(const filter::Box& box, std::size_t request) {
  if (box.destination_address && !box.source_address) return "inbound";
  if (box.source_address && !box.destination_address) return "outbound";
  return Format("request %zu", request + 1);
}

/// Refuses a run that would take more requests than the user allows.
Result<void> CheckPrice(std::size_t windows, std::size_t requests, std::uint64_t allowed,
                        Duration interval) {
  const std::size_t price = windows * requests;
  if (price <= allowed) return {};
  return Fail(
      Format("this takes %zu requests (%zu windows, %zu each) at one a minute, about %s, and "
             "--max-requests is %llu",
             price, windows, requests, FormatSpan(interval * static_cast<int>(price)).c_str(),
             static_cast<unsigned long long>(allowed)),
      Format("shorten the time, or allow more requests%s",
             requests > 1 ? ", or ask with fewer (--requests-per-window 1)" : ""),
      Error::Kind::kUsage);
}

}  // namespace

SampleCapture::SampleCapture(const CaptureContext& context)
    : context_(context),
      plan_(filter::MakePlan(context.filter,
                             {.max_requests = static_cast<int>(
                                  context.settings.Number(config::Opt::kRequestsPerWindow)),
                              .pin_ipv6 = context.settings.IsOn(config::Opt::kFilterIpv6)})),
      delivery_(context_, plan_.exact, pcap::FileReader::Order::kWhole, outcome_) {}

Outcome SampleCapture::Run() {
  const config::Settings& settings = context_.settings;
  auto windows =
      PlanWindows(settings.Text(config::Opt::kStartTime), settings.Text(config::Opt::kEndTime),
                  seconds(settings.Number(config::Opt::kTimeLimit)), context_.loop.Now());
  auto done = windows ? CheckPrice(windows->size(), plan_.requests.size(),
                                   settings.Number(config::Opt::kMaxRequests),
                                   seconds(settings.Number(config::Opt::kSampleInterval)))
                      : Result<void>(Failure(windows));
  if (windows) outcome_.window = {windows->front().start, windows->back().end};
  if (done) done = CaptureWindows(*windows);
  outcome_.Note(done);
  if (context_.stream.begun()) {
    outcome_.Note(
        delivery_.Finish("sample from " + FormatTimes(windows->front().start, windows->back().end),
                         {.known = true}));
  }
  return outcome_;
}

Result<void> SampleCapture::CaptureWindows(const std::vector<Window>& windows) {
  for (const Window& window : windows) {
    std::vector<SampleFile> files;
    auto captured = CaptureWindow(window, files);
    // A stop, or a fault after the first answer, still delivers what is held.
    if (!files.empty()) {
      duplicates_.Begin(window.end, window.end);
      auto delivered = DeliverSamples(context_, std::move(files), plan_.requests.size(), delivery_,
                                      duplicates_, outcome_);
      if (!delivered) return delivered;
    }
    if (captured) continue;
    // What went wrong with one job is no reason to give the others up; an API that does not take
    // requests any more is.
    const bool last = &window == &windows.back();
    if (!posted_ || last || captured.error().kind == Error::Kind::kInterrupted ||
        captured.error().kind == Error::Kind::kUsage) {
      return captured;
    }
    outcome_.losses.push_back("the window from " + FormatTimes(window.start, window.end) +
                              " is missing or not whole: " + ClauseOf(captured.error()));
  }
  return {};
}

Result<void> SampleCapture::CaptureWindow(const Window& window, std::vector<SampleFile>& files) {
  progress_.clear();
  for (std::size_t request = 0; request < plan_.requests.size(); ++request) {
    posted_ = false;
    auto file = CaptureRequest(window, request);
    if (!file) return Failure(file);
    if (plan_.requests.size() > 1) {
      progress_ += Format("%s done, %s packets; ", NameOf(plan_.requests[request], request).c_str(),
                          WithThousands(file->summary.packets).c_str());
    }
    files.push_back(*std::move(file));
  }
  return {};
}

api::Patience SampleCapture::BeforeRequest() const {
  api::Patience patience = context_.BeforeJob();
  // Once something of the run is there, a short fault must not cost the rest.
  if (!outcome_.pcap_ids.empty()) patience.retry_budget = context_.WithJob().retry_budget;
  return patience;
}

Result<api::PcapJob> SampleCapture::Post(const api::PcapRequest& request, Duration interval,
                                         const std::function<void(Duration)>& countdown) {
  constexpr int kMostTurns = 3;
  for (int turn = 1;; ++turn) {
    auto known = AwaitSampleTurn(context_.api, context_.loop, interval, BeforeRequest(), countdown);
    if (!known) return Failure(known);
    const std::string key =
        context_.started.Intend(context_.account_id, request, context_.loop.Now());
    auto job = context_.api.Create(request, *known, BeforeRequest());
    if (job) {
      context_.started.Started(key, job->id);
      return job;
    }
    context_.started.Forget(key);
    if (job.error().kind != Error::Kind::kPassing || turn == kMostTurns) return job;
    // Somebody else may have used the turn between the look and the request.
    const auto now = context_.api.List(BeforeRequest());
    if (!now || SampleWait(*now, context_.loop, interval) == Duration(0)) return job;
  }
}

Result<SampleFile> SampleCapture::CaptureRequest(const Window& window, std::size_t number) {
  const config::Settings& settings = context_.settings;
  const auto interval = seconds(settings.Number(config::Opt::kSampleInterval));
  const filter::Box& box = plan_.requests[number];
  const std::string name = NameOf(box, number);
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kSimple;
  request.time_limit =
      static_cast<std::uint64_t>(std::chrono::ceil<seconds>(window.end - window.start).count());
  request.packet_limit = settings.Number(config::Opt::kPacketLimit);
  request.offset_time = window.end;
  request.filter_v1 = ToFilterV1(box);
  auto job = Post(request, interval, [&](Duration left) {
    context_.Tell(progress_ + "waiting " + FormatSpan(left) +
                  (plan_.requests.size() > 1 ? " for " + name : " for Cloudflare's next sample"));
  });
  if (!job) return Failure(job);
  posted_ = true;
  outcome_.pcap_ids.push_back(job->id);
  system::Log(system::LogLevel::kInfo, "sample %s requested: %s", job->id.c_str(),
              api::WritePcapRequest(request).c_str());

  const system::SteadyTime started = context_.loop.Steady();
  const auto deadline = started + seconds(settings.Number(config::Opt::kMaxWait));
  auto finished = AwaitJob(
      context_.api, context_.loop, *job, deadline, context_.WithJob(),
      [&](const api::PcapJob& told) {
        const Duration age = context_.loop.Steady() - started;
        context_.Tell(progress_ + CleanLine(Redact(told.status), 40) + ", " + FormatSpan(age));
      });
  if (!finished) {
    if (finished.error().kind != Error::Kind::kInterrupted) {
      outcome_.left_behind = HowToGetLater(job->id);
    }
    return Failure(finished);
  }
  FillIn(*finished, request);
  return FetchSample(context_, *finished, progress_ + "downloading");
}

}  // namespace cloudflaredump::capture
