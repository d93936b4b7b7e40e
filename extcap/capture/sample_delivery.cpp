// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_delivery.h"

#include "common/text.h"
#include "extcap/capture/description.h"

namespace cloudflaredump::capture {
namespace {

std::string Rfc3339(std::uint64_t nanoseconds) {
  return FormatRfc3339(WallTime(std::chrono::nanoseconds(nanoseconds)));
}

CaptureDescription Describe(const SampleFile& sample, std::size_t request, std::size_t requests) {
  CaptureDescription description = DescribeJob(sample.job);
  description.request = request + 1;
  description.requests = requests;
  if (sample.summary.packets > 0) {
    description.coverage_first = Rfc3339(sample.summary.first_nanoseconds);
    description.coverage_last = Rfc3339(sample.summary.last_nanoseconds);
  }
  description.limit_reached = sample.limit().value();
  if (!sample.end_is_certain) description.end_uncertain = true;
  return description;
}

void NoteLosses(const SampleFile& sample, Outcome& outcome) {
  const LimitState limit = sample.limit();
  if (limit.reached) {
    outcome.losses.push_back("the limit of " + *limit.reached +
                             " was reached, so the window is not covered to its end");
  }
  outcome.limits_known = outcome.limits_known && limit.known;
  if (!sample.end_is_certain) {
    outcome.losses.push_back("the download of capture " + sample.job.id +
                             " ended without saying that it was whole");
  }
}

}  // namespace

Result<void> DeliverSamples(const CaptureContext& context, std::vector<SampleFile> samples,
                            std::size_t requests, Delivery& delivery, WindowDuplicates& duplicates,
                            Outcome& outcome) {
  std::vector<FileToDeliver> files;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    NoteLosses(samples[i], outcome);
    files.push_back({.bytes = std::move(samples[i].bytes),
                     .name = "the file of capture " + samples[i].job.id,
                     .request = i});
  }
  auto delivered = delivery.Deliver(
      std::move(files), [&](std::size_t file) { return Describe(samples[file], file, requests); },
      &duplicates);
  if (!delivered) return delivered;
  context.stream.LetLastGo();
  return context.stream.Flush();
}

}  // namespace cloudflaredump::capture
