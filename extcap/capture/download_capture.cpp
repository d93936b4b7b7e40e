// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/download_capture.h"

#include "common/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/part_collection.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/sample_delivery.h"
#include "extcap/capture/started_captures.h"

namespace cloudflaredump::capture {
namespace {

Result<std::string> FindId(const CaptureContext& context, const std::string& account_id) {
  const std::string& given = context.settings.Text(config::Opt::kPcapId);
  if (given != "latest") return given;
  const StartedCaptures started(system::ProcessEnvironment);
  if (const auto latest = started.Latest(account_id)) return *latest;
  return Fail("no capture was started from here yet",
              "give an id with --pcap-id, as `cloudflaredump list` shows them");
}

/// Of an earlier capture nobody knows how exact its filter was for the filter given now.
filter::Plan PlanOfEarlier() {
  filter::Plan plan;
  plan.requests.resize(1);
  return plan;
}

Result<void> DownloadSample(const CaptureContext& context, const api::PcapJob& job,
                            Outcome& outcome) {
  auto part = FetchSample(context, job, "downloading");
  if (!part) return Failure(part);
  const filter::Plan plan = PlanOfEarlier();
  SampleDelivery delivery(context, plan, outcome);
  std::vector<SamplePart> parts;
  parts.push_back(*std::move(part));
  if (auto delivered = delivery.DeliverWindow({}, std::move(parts)); !delivered) return delivered;
  return delivery.Finish("sample " + job.id);
}

Result<void> Download(const CaptureContext& context, http::Http& http,
                      const std::string& account_id, Outcome& outcome) {
  const auto id = FindId(context, account_id);
  if (!id) return Failure(id);
  auto job = context.api.Get(*id, context.BeforeJob());
  if (!job) return Failure(job);
  outcome.pcap_ids.push_back(job->id);
  auto done =
      AwaitJob(context.api, context.loop, *job, DeadlineOf(*job, context), context.WithJob(),
               [&](const api::PcapJob& told) {
                 context.Tell("waiting for capture " + NameRunning(told, context.loop.Now()));
               });
  if (!done) {
    if (done.error().kind != Error::Kind::kInterrupted)
      outcome.left_behind = HowToGetLater(job->id);
    return Failure(done);
  }
  return done->type == "full" ? CollectOthersParts(context, http, *done, outcome)
                              : DownloadSample(context, *done, outcome);
}

}  // namespace

Outcome RunDownload(const CaptureContext& context, http::Http& http,
                    const std::string& account_id) {
  Outcome outcome;
  outcome.Note(Download(context, http, account_id, outcome));
  return outcome;
}

}  // namespace cloudflaredump::capture
