// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_delivery.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/description.h"

namespace cloudflaredump::capture {
namespace {

/// How much of `window` a sample covers.
Duration CoveredBy(const SampleFile& sample, const Window& window) {
  if (!sample.limit().reached) return window.end - window.start;
  const WallTime last{std::chrono::nanoseconds(sample.summary.last_nanoseconds)};
  return std::clamp(last, window.start, window.end) - window.start;
}

CaptureDescription Describe(const SampleFile& sample, std::size_t request,
                            const SamplePlace& place) {
  CaptureDescription description = DescribeJob(sample.job);
  description.window = place.window;
  description.request = request + 1;
  description.requests = place.requests;
  if (sample.summary.packets > 0) {
    description.coverage_first =
        FormatRfc3339(WallTime(Duration(sample.summary.first_nanoseconds)));
    description.coverage_last = FormatRfc3339(WallTime(Duration(sample.summary.last_nanoseconds)));
  }
  description.limit_reached = sample.limit().value();
  const auto window = WindowOf(sample.job);
  if (sample.limit().reached && window && window->end > window->start) {
    description.coverage_share = PercentOf(CoveredBy(sample, *window), window->end - window->start);
  }
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
                            const SamplePlace& place, Delivery& delivery,
                            filter::DuplicateFilter& duplicates, Outcome& outcome) {
  std::vector<FileToDeliver> files;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    NoteLosses(samples[i], outcome);
    files.push_back({.bytes = std::move(samples[i].bytes),
                     .name = "the file of capture " + samples[i].job.id,
                     .request = i});
  }
  const bool overflowed_before = duplicates.overflowed();
  auto delivered = delivery.Deliver(
      std::move(files), [&](std::size_t file) { return Describe(samples[file], file, place); },
      &duplicates);
  if (!overflowed_before && duplicates.overflowed()) {
    outcome.losses.emplace_back(
        "the requests brought more packets than can be compared, so some may be there twice");
  }
  if (!delivered) return delivered;
  context.stream.LetLastGo();
  return context.stream.Flush();
}

std::optional<Window> WindowOf(const api::PcapJob& job) {
  const auto end = ParseRfc3339(job.offset_time.value_or(""));
  constexpr std::uint64_t kLongest = 86400;  // what is beyond is no sample's
  if (!end || job.time_limit.value_or(0) == 0 || *job.time_limit > kLongest) return std::nullopt;
  return Window{*end - std::chrono::seconds(*job.time_limit), *end};
}

std::uint64_t PercentOf(Duration part, Duration whole) {
  return static_cast<std::uint64_t>(part * 100 / whole);
}

void NoteShare(Duration covered, Duration asked, Outcome& outcome) {
  if (covered >= asked) return;
  outcome.losses.push_back(std::to_string(PercentOf(covered, asked)) + "% of the time is covered");
}

Duration CoveredTime(const Window& window, const std::vector<SampleFile>& samples) {
  Duration least = window.end - window.start;
  for (const SampleFile& sample : samples) least = std::min(least, CoveredBy(sample, window));
  return least;
}

}  // namespace cloudflaredump::capture
