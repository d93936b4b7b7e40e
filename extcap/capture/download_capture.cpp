// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/download_capture.h"

#include "common/text.h"
#include "extcap/capture/full_delivery.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/sample_delivery.h"

namespace cloudflaredump::capture {
namespace {

Result<std::string> FindId(const CaptureContext& context) {
  const std::string& given = context.settings.Text(config::Opt::kPcapId);
  if (given != "latest") return given;
  if (const auto latest = context.started.Latest(context.account_id)) return *latest;
  return Fail(
      "no capture that was started from here is on record in " + CleanLine(context.started.path()),
      "give an ID with the option pcap-id, as `cloudflaredump list` shows them");
}

Result<void> DownloadSample(const CaptureContext& context, const api::PcapJob& job,
                            Outcome& outcome) {
  auto sample = FetchSample(context, job, "downloading");
  if (!sample) return Failure(sample);
  // Nobody knows how exact the filter of an earlier capture was for the filter given now.
  Delivery delivery(context, false, pcap::FileReader::Order::kWhole, outcome);
  filter::DuplicateFilter duplicates;
  std::vector<SampleFile> samples;
  samples.push_back(*std::move(sample));
  const auto window = WindowOf(job);
  const Duration asked = window ? window->end - window->start : Duration(0);
  const Duration covered = window ? CoveredTime(*window, samples) : asked;
  auto delivered = DeliverSamples(context, std::move(samples), {}, delivery, duplicates, outcome);
  if (!delivered) return delivered;
  NoteShare(covered, asked, outcome);
  delivery.Finish("sample " + job.id, {.known = true});
  return {};
}

Result<void> Download(const CaptureContext& context, Outcome& outcome) {
  const auto id = FindId(context);
  if (!id) return Failure(id);
  auto job = context.api.Get(*id, context.BeforeJob());
  if (!job) return Failure(job);
  outcome.pcap_ids.push_back(job->id);
  bool failed = false;
  auto done =
      AwaitJob(context.api, context.loop, *job, DeadlineOf(*job, context), context.WithJob(),
               [&](const api::PcapJob& told) {
                 failed = told.phase() == api::JobPhase::kFailed;
                 if (told.phase() != api::JobPhase::kGoing) return;
                 context.Tell("waiting for capture " + NameRunning(told, context.loop.Now()));
               });
  if (!done) {
    if (done.error().kind != Error::Kind::kInterrupted && !failed) {
      outcome.left_behind = HowToGetLater(job->id, context.filter.text());
    }
    return Failure(done);
  }
  context.started.RecallLimits(*done);
  return done->type == "full" ? DeliverOthersFull(context, *done, outcome)
                              : DownloadSample(context, *done, outcome);
}

}  // namespace

Outcome RunDownload(const CaptureContext& context) {
  Outcome outcome;
  outcome.Note(Download(context, outcome));
  return outcome;
}

}  // namespace cloudflaredump::capture
