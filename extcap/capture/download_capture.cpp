// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/download_capture.h"

#include "extcap/base/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/part_collection.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/sample_delivery.h"
#include "extcap/capture/started_captures.h"

namespace cloudflaredump {
namespace {

Result<std::string> FindId(const CaptureContext& context, const std::string& account_id) {
  const std::string& given = context.settings.Text(Opt::kPcapId);
  if (given != "latest") return given;
  const StartedCaptures started(ProcessEnvironment);
  if (const auto latest = started.Latest(account_id)) return *latest;
  return Fail(
      "no capture was started from here yet; give an id with --pcap-id, as `cloudflaredump "
      "list` shows them.");
}

/// Of an earlier capture nobody knows how exact its filter was for the filter given now.
Plan PlanOfEarlier() {
  Plan plan;
  plan.requests.resize(1);
  return plan;
}

Result<void> DownloadSample(const CaptureContext& context, const PcapJob& job, Outcome& outcome) {
  auto part = FetchSample(context, job, "downloading");
  if (!part) return std::unexpected(part.error());
  const Plan plan = PlanOfEarlier();
  SampleDelivery delivery(context, plan, outcome);
  std::vector<SamplePart> parts;
  parts.push_back(*std::move(part));
  if (auto delivered = delivery.DeliverWindow({}, std::move(parts)); !delivered) return delivered;
  return delivery.Finish("sample " + job.id);
}

Result<void> Download(const CaptureContext& context, Http& http, const std::string& account_id,
                      Outcome& outcome) {
  const auto id = FindId(context, account_id);
  if (!id) return std::unexpected(id.error());
  auto job = context.api.Get(*id, context.BeforeJob());
  if (!job) return std::unexpected(job.error());
  outcome.pcap_ids.push_back(job->id);
  auto done =
      AwaitJob(context.api, context.loop, *job, DeadlineOf(*job, context), context.WithJob(),
               [&](const PcapJob& told) {
                 context.Tell("waiting for capture " + NameRunning(told, context.loop.Now()));
               });
  if (!done) return std::unexpected(done.error());
  return done->type == "full" ? CollectOthersParts(context, http, *done, outcome)
                              : DownloadSample(context, *done, outcome);
}

}  // namespace

Outcome RunDownload(const CaptureContext& context, Http& http, const std::string& account_id) {
  Outcome outcome;
  outcome.Note(Download(context, http, account_id, outcome));
  return outcome;
}

}  // namespace cloudflaredump
