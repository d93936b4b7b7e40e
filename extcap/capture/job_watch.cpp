// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/job_watch.h"

#include <algorithm>
#include <array>

#include "extcap/base/redact.h"
#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

using namespace std::chrono_literals;

Error FailedJob(const PcapJob& job) {
  const std::string said = CleanLine(Redact(job.error_message.value_or("")));
  if (!said.empty()) {
    return {Format("Cloudflare says that capture %s failed: %s", job.id.c_str(), said.c_str())};
  }
  const char* const advice = job.type == "full"
                                 ? "check that the bucket is registered and that Cloudflare may "
                                   "write to it"
                                 : "check the filter, and try again";
  return {Format("Cloudflare says that capture %s failed; %s.", job.id.c_str(), advice)};
}

}  // namespace

bool IsEmptyCapture(const PcapJob& job) {
  // The schema's own example of an error_message; there is no code for it.
  return job.phase() == JobPhase::kFailed && job.error_message &&
         job.error_message->find("No packets matched") != std::string::npos;
}

Duration PollInterval(int poll, Duration waited) {
  constexpr std::array<Duration, 3> kFirst = {1s, 2s, 3s};
  if (poll < static_cast<int>(kFirst.size())) return kFirst[static_cast<std::size_t>(poll)];
  return waited < 10min ? 5s : 30s;
}

Result<PcapJob> AwaitJob(PcapsApi& api, EventLoop& loop, PcapJob job, SteadyTime deadline,
                         const Patience& patience,
                         const std::function<void(const PcapJob&)>& told) {
  const SteadyTime start = loop.Steady();
  for (int poll = 0;; ++poll) {
    told(job);
    if (job.phase() == JobPhase::kDone) return job;
    if (IsEmptyCapture(job)) return job;
    if (job.phase() == JobPhase::kFailed) return std::unexpected(FailedJob(job));
    const SteadyTime now = loop.Steady();
    if (now >= deadline) {
      return Fail(
          Format("Cloudflare has not finished capture %s within %s; get it later with: "
                 "cloudflaredump capture -i cloudflare-download --pcap-id %s",
                 job.id.c_str(), FormatSpan(deadline - start).c_str(), job.id.c_str()));
    }
    const SteadyTime next = std::min(now + PollInterval(poll, now - start), deadline);
    for (SteadyTime tick = now + Duration(1s);; tick += Duration(1s)) {
      if (loop.RunUntil(patience.stop, std::min(tick, next))) {
        return Fail("stopped.", Error::Kind::kInterrupted);
      }
      if (tick >= next) break;
      told(job);
    }
    auto answer = api.Get(job.id, patience);
    if (!answer) return answer;
    job = *std::move(answer);
  }
}

}  // namespace cloudflaredump
