// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_file.h"

#include "extcap/capture/job_watch.h"
#include "extcap/capture/originals.h"
#include "extcap/filter/link_type.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::capture {

LimitState SampleFile::limit() const {
  return JudgeLimits(job, {.packets = summary.packets});
}

Result<SampleFile> FetchSample(const CaptureContext& context, const api::PcapJob& job,
                               const std::string& status) {
  if (IsEmptyCapture(job)) {
    return SampleFile{
        .job = job,
        .bytes = std::make_unique<pcap::MemoryFile>(pcap::WriteFileHeader(filter::kLinkTypeRaw)),
        .summary = {.header = pcap::PcapHeader{.link_type = filter::kLinkTypeRaw}}};
  }
  context.Tell(status);
  auto download = context.api.DownloadSample(job.id, context.WithJob());
  if (!download) return Failure(download);
  auto file = std::make_unique<pcap::MemoryFile>(std::move(download->bytes));
  Originals(context).Keep("pcap_" + job.id + ".pcap", *file);
  pcap::FileSummary summary = pcap::Summarize(*file);
  if (!summary.header) {
    return Fail("the download of capture " + job.id +
                " is not a capture file: " + ClauseOf(*summary.damage));
  }
  return SampleFile{.job = job,
                    .bytes = std::move(file),
                    .summary = std::move(summary),
                    .end_is_certain = download->end_is_certain};
}

}  // namespace cloudflaredump::capture
