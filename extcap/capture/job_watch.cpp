// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/job_watch.h"

#include <algorithm>
#include <array>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// So long after its POST a capture may not be known everywhere at Cloudflare.
constexpr Duration kFresh = 60s;

Error FailedJob(const api::PcapJob& job) {
  Error error{.what = "Cloudflare says that capture " + job.id + " failed",
              .said = CleanLine(job.error_message.value_or(""))};
  if (error.said.empty()) {
    error.remedy = job.type == "full" ? "check that the bucket is registered and that Cloudflare "
                                        "may write to it"
                                      : "check the filter, and try again";
  }
  return error;
}

}  // namespace

bool IsEmptyCapture(const api::PcapJob& job) {
  // The schema's own example of an error_message; there is no code for it.
  return job.phase() == api::JobPhase::kFailed && job.error_message &&
         job.error_message->find("No packets matched") != std::string::npos;
}

std::string DownloadCommand(const std::string& id, const std::string& filter) {
  constexpr std::size_t kLongest = 300;
  std::string command =
      "cloudflaredump capture -i cloudflare-download --pcap-id " + CleanLine(id, 40);
  if (!filter.empty()) {
    command += " -f " + (filter.size() <= kLongest ? ShellQuote(CleanLine(filter)) : "FILTER");
  }
  return command + " -w FILE";
}

std::string HowToGetLater(const std::string& id, const std::string& filter) {
  return "get it later with: " + DownloadCommand(id, filter);
}

Duration PollInterval(int poll, Duration waited) {
  constexpr std::array<Duration, 3> kFirst = {1s, 2s, 3s};
  if (poll < static_cast<int>(kFirst.size())) return kFirst[static_cast<std::size_t>(poll)];
  return waited < 10min ? 5s : 30s;
}

Result<api::PcapJob> AwaitJob(api::PcapsApi& api, system::EventLoop& loop, api::PcapJob job,
                              system::SteadyTime deadline, const api::Patience& patience,
                              const std::function<void(const api::PcapJob&)>& told) {
  const system::SteadyTime start = loop.Steady();
  api::Patience polling = patience;
  const auto submitted = job.submitted_at();
  if (!submitted || loop.Now() - *submitted < kFresh) polling.fresh_until = start + kFresh;
  for (int poll = 0;; ++poll) {
    told(job);
    if (job.phase() == api::JobPhase::kDone) return job;
    if (IsEmptyCapture(job)) return job;
    if (job.phase() == api::JobPhase::kFailed) return std::unexpected(FailedJob(job));
    const system::SteadyTime now = loop.Steady();
    if (now >= deadline) {
      return Fail("Cloudflare has not finished capture " + job.id + " within " +
                  FormatSpan(deadline - start));
    }
    const system::SteadyTime next = std::min(now + PollInterval(poll, now - start), deadline);
    for (system::SteadyTime tick = now + Duration(1s);; tick += Duration(1s)) {
      if (loop.RunUntil(patience.stop, std::min(tick, next))) {
        return Stopped();
      }
      if (tick >= next) break;
      told(job);
    }
    auto answer = api.Get(job.id, polling);
    if (!answer) return answer;
    job = *std::move(answer);
  }
}

}  // namespace cloudflaredump::capture
