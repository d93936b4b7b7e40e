// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_capture.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/sample_delivery.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// Says that a run would take more requests than the user allows.
Error TooDear(const std::vector<Window>& windows, std::size_t requests, std::uint64_t allowed,
              Duration interval) {
  const std::size_t price = windows.size() * requests;
  return {
      .what = Format(
          "from %s this takes %zu requests (%zu windows, %zu each) at one a minute, about %s, "
          "and max-requests is %llu",
          FormatTimes(windows.front().start, windows.back().end).c_str(), price, windows.size(),
          requests, FormatSpan(interval * static_cast<int>(price)).c_str(),
          static_cast<unsigned long long>(allowed)),
      .remedy = Format("shorten the time (end-time), or allow more requests (max-requests %zu)%s",
                       price, requests > 1 ? ", or ask with fewer (requests-per-window 1)" : ""),
      .kind = Error::Kind::kUsage};
}

/// "sample from 06:15:00 to 06:20:00 UTC", and of which day if it was another than `now`.
std::string AskedFor(const Window& window, WallTime now) {
  const auto day = [](WallTime at) { return FormatRfc3339(at).substr(0, 10); };
  const std::string times = "sample from " + FormatTimes(window.start, window.end);
  // Times of two days have their dates.
  const bool dated = day(window.start) != day(window.end) || day(window.start) == day(now);
  return dated ? times : times + " of " + day(window.start);
}

}  // namespace

SampleCapture::SampleCapture(const CaptureContext& context)
    : context_(context),
      plan_(SamplePlan(context)),
      requests_(context_, plan_, WindowCapture::Run::kOnce, outcome_),
      delivery_(context_, plan_.exact, pcap::FileReader::Order::kWhole, outcome_) {}

Outcome SampleCapture::Run() {
  const config::Settings& settings = context_.settings;
  auto windows =
      PlanWindows(settings.Text(config::Opt::kStartTime), settings.Text(config::Opt::kEndTime),
                  seconds(settings.Number(config::Opt::kTimeLimit)), context_.loop.Now());
  if (windows) outcome_.window = {windows->front().start, windows->back().end};
  outcome_.Note(windows ? CaptureWindows(*windows) : Result<void>(Failure(windows)));
  if (context_.stream.begun()) {
    if (limited_) NoteShare(covered_, windows->back().end - windows->front().start, outcome_);
    NoteRequestsNotMade(*windows);
    delivery_.Finish(AskedFor(*outcome_.window, context_.loop.Now()), {.known = true});
  }
  return outcome_;
}

Result<void> SampleCapture::CaptureWindows(const std::vector<Window>& windows) {
  if (!requests_.Allows(windows.size())) {
    return std::unexpected(TooDear(windows, plan_.requests.size(),
                                   context_.settings.Number(config::Opt::kMaxRequests),
                                   requests_.interval()));
  }
  windows_left_ = windows.size();
  for (const Window& window : windows) {
    whole_until_ = window.start;
    progress_.clear();
    auto captured = CaptureWindow(window);
    if (captured) continue;
    // What went wrong with one job is no reason to give the others up; an API that does not take
    // requests any more is.
    const bool last = &window == &windows.back();
    if (!requests_.posted() || last || captured.error().kind == Error::Kind::kInterrupted ||
        captured.error().kind == Error::Kind::kUsage) {
      return captured;
    }
    outcome_.losses.push_back("the window from " + FormatTimes(window.start, window.end) +
                              " is missing or not whole: " + ClauseOf(captured.error()));
  }
  return {};
}

void SampleCapture::NoteRequestsNotMade(const std::vector<Window>& windows) {
  const std::size_t price = windows.size() * plan_.requests.size();
  if (!outcome_.stopped || made_ >= price) return;
  outcome_.losses.push_back(Format("%zu of %zu requests were not made", price - made_, price));
}

Result<void> SampleCapture::CaptureWindow(const Window& window) {
  --windows_left_;
  std::vector<SampleFile> files;
  const std::size_t before = outcome_.pcap_ids.size();
  auto captured = requests_.Capture(window, progress_, files);
  if (progress_.empty()) made_ += outcome_.pcap_ids.size() - before;
  if (captured && DeservesHalves(window, files)) return CaptureHalves(window, std::move(files));
  // A stop, or a fault after the first answer, still delivers what is held.
  duplicates_.BeginWindow(window.start);
  auto delivered = Deliver(window, std::move(files));
  if (!delivered) return delivered;
  if (captured) whole_until_ = window.end;
  return captured;
}

bool SampleCapture::DeservesHalves(const Window& window,
                                   const std::vector<SampleFile>& files) const {
  const bool limited = std::ranges::any_of(
      files, [](const SampleFile& file) { return file.limit().reached.has_value(); });
  return limited && window.end - window.start > 1s && requests_.Allows(windows_left_ + 2);
}

Result<void> SampleCapture::CaptureHalves(const Window& window, std::vector<SampleFile> whole) {
  progress_ = "packet limit reached, asking again in halves; ";
  const WallTime middle =
      window.start + std::chrono::ceil<seconds>((window.end - window.start) / 2);
  windows_left_ += 2;
  for (const Window& half : {Window{window.start, middle}, Window{middle, window.end}}) {
    auto captured = CaptureWindow(half);
    if (captured) continue;
    if (half.end == middle) --windows_left_;  // the other half is not asked for any more
    // What the whole window brought is better than nothing.
    duplicates_.BeginWindow(whole_until_, filter::DuplicateFilter::Earlier::kSkip);
    auto delivered = Deliver({whole_until_, window.end}, std::move(whole));
    return delivered ? captured : delivered;
  }
  return {};
}

void SampleCapture::CountCovered(const Window& window, const std::vector<SampleFile>& files) {
  const WallTime end = window.start + CoveredTime(window, files);
  const WallTime start = std::max(window.start, covered_until_);
  if (end > start) covered_ += end - start;
  covered_until_ = std::max(covered_until_, end);
  limited_ = limited_ || end < window.end;
}

Result<void> SampleCapture::Deliver(const Window& window, std::vector<SampleFile> files) {
  if (files.empty()) return {};
  CountCovered(window, files);
  return DeliverSamples(context_, std::move(files), {.requests = plan_.requests.size()}, delivery_,
                        duplicates_, outcome_);
}

}  // namespace cloudflaredump::capture
