// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/full_delivery.h"

#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/delivery.h"
#include "extcap/capture/description.h"
#include "extcap/capture/file_collection.h"
#include "extcap/capture/job_watch.h"
#include "extcap/filter/link_type.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::capture {
namespace {

/// Says where packets went that Cloudflare counted, in either direction.
void CompareCounts(const api::PcapJob& job, Outcome& outcome) {
  const std::uint64_t read = outcome.counts.received;
  if (!job.packets_captured || read == *job.packets_captured) return;
  outcome.losses.push_back(Format("Cloudflare captured %s, but %s %s found",
                                  CountedPackets(*job.packets_captured).c_str(),
                                  WithThousands(read).c_str(), read == 1 ? "was" : "were"));
}

/// Delivers what `collection` brings.
Result<void> Deliver(const CaptureContext& context, FileCollection& collection,
                     const api::PcapJob& job, bool exact_plan, const std::string& asked,
                     Outcome& outcome) {
  // After a stop of our own the verdict says so; anybody else's cut short what was asked for.
  if (job.stop_requested && !job.stop_requested->empty() &&
      !context.stop.AtLeast(system::StopLevel::kStop)) {
    outcome.losses.push_back("the capture was stopped early, at " +
                             CleanLine(*job.stop_requested, 40));
  }
  if (auto collected = collection.Run(); !collected) return collected;
  for (const std::string& loss : collection.losses()) outcome.losses.push_back(loss);
  for (const std::string& left_out : collection.left_out()) outcome.notes.push_back(left_out);
  if (collection.AllFailed()) {
    outcome.left_behind = HowToGetLater(job.id, context.filter.text());
  }

  std::vector<CollectedFile>& files = collection.files();
  std::vector<FileToDeliver> to_deliver;
  std::vector<std::string> objects;
  for (CollectedFile& file : files) {
    to_deliver.push_back({.bytes = std::move(file.bytes),
                          .name = Format("file %zu (%s)", objects.size() + 1,
                                         CleanLine(file.object.key, 100).c_str())});
    objects.push_back(file.object.key);
  }
  if (to_deliver.empty()) {
    to_deliver.push_back(
        {.bytes = std::make_unique<pcap::MemoryFile>(pcap::WriteFileHeader(filter::kLinkTypeRaw)),
         .name = "no file"});
  }
  Delivery delivery(context, exact_plan, pcap::FileReader::Order::kNearby, outcome);
  outcome.Note(delivery.Deliver(std::move(to_deliver), [&](std::size_t file) {
    CaptureDescription description = DescribeJob(job);
    if (job.destination_conf) description.destination_conf = RedactAddress(*job.destination_conf);
    if (!objects.empty()) {
      description.file = file + 1;
      description.files = objects.size();
      description.object = objects[file];
    }
    return description;
  }));
  if (context.stop.AtLeast(system::StopLevel::kStop)) outcome.stopped = true;
  if (context.stop.AtLeast(system::StopLevel::kLeave)) return {};
  CompareCounts(job, outcome);
  delivery.Finish(asked, JudgeLimits(job, delivery.received()), false);
  if (outcome.error) {  // A full disk, say.
    outcome.left_behind = HowToGetLater(job.id, context.filter.text());
  }
  return {};
}

}  // namespace

Result<void> DeliverFull(const CaptureContext& context, const FilesPlace& place,
                         const api::PcapJob& job, bool exact_plan, const std::string& asked,
                         Outcome& outcome) {
  FileCollection collection(context, place, job, context.stop.WaitIsOver());
  return Deliver(context, collection, job, exact_plan, asked, outcome);
}

Result<void> DeliverOthersFull(const CaptureContext& context, const api::PcapJob& job,
                               Outcome& outcome) {
  const auto place = OpenSourceOf(context, job);
  if (!place) return Failure(place);
  const std::string at = job.colo ? " at " + CleanLine(*job.colo, 20) : "";
  FileCollection collection(context, *place, job, context.stop.StoppingSoon());
  return Deliver(context, collection, job, false, "full capture " + job.id + at, outcome);
}

}  // namespace cloudflaredump::capture
