// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/running_captures.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// Building the files takes minutes; what is older than its time limit by this much hangs.
constexpr Duration kLongestBuilding = 1h;

}  // namespace

Result<std::vector<api::PcapJob>> ListCaptures(api::PcapsApi& api, const StartedCaptures& started,
                                               const std::string& account_id,
                                               const api::Patience& patience) {
  auto jobs = api.List(patience);
  if (!jobs || jobs->size() < api::kLongestList) return jobs;
  for (const std::string& id : started.RecentFull(account_id)) {
    if (std::ranges::find(*jobs, id, &api::PcapJob::id) != jobs->end()) continue;
    if (auto job = api.Get(id, patience)) jobs->push_back(*std::move(job));
  }
  return jobs;
}

std::string FilterOf(const api::PcapJob& job) {
  const std::string text = FilterV1Text(job.filter_v1);
  return text.empty() ? "no filter" : "filter " + text;
}

const api::PcapJob* FindRunning(const std::vector<api::PcapJob>& jobs, WallTime now) {
  for (const api::PcapJob& job : jobs) {
    if (job.type != "full" || job.phase() != api::JobPhase::kGoing || !api::IsPcapId(job.id))
      continue;
    const auto submitted = job.submitted_at();
    const auto limit = seconds(job.time_limit.value_or(86400));
    if (submitted && now - *submitted > limit + kLongestBuilding) continue;
    return &job;
  }
  return nullptr;
}

std::string NameRunning(const api::PcapJob& job, WallTime now) {
  std::string text = CleanLine(job.id, 40);
  if (job.colo) text += " at " + CleanLine(*job.colo, 20);
  text += " (" + CleanLine(job.status, 30);
  if (const auto submitted = job.submitted_at()) {
    text += ", since " + FormatRfc3339(std::chrono::floor<seconds>(*submitted));
    const Duration left = *submitted + seconds(job.time_limit.value_or(0)) - now;
    if (job.phase() == api::JobPhase::kGoing && left > Duration(0)) {
      text += ", " + FormatSpan(left) + " left";
    }
  }
  return text + ", " + FilterOf(job) + ")";
}

Error BusyError(const api::PcapJob& running, WallTime now) {
  return {
      Format("Cloudflare runs one full capture at a time, and there is %s; set the option "
             "if-busy to wait for it (wait) or to get its packets (attach), or stop it with: "
             "cloudflaredump stop %s",
             NameRunning(running, now).c_str(), running.id.c_str())};
}

system::SteadyTime DeadlineOf(const api::PcapJob& job, const CaptureContext& context) {
  return context.loop.Steady() + seconds(job.time_limit.value_or(0)) +
         seconds(context.settings.Number(config::Opt::kMaxWait));
}

Bounded::Bounded(system::EventLoop& loop, Duration span)
    : loop_(loop), end_(loop.Steady() + span), timer_(loop.CallAt(end_, [] {})) {}

api::Patience Bounded::patience() const {
  return {.retry_budget = std::max(end_ - loop_.Steady(), Duration(0)),
          .stop = [this] { return loop_.Steady() >= end_; }};
}

}  // namespace cloudflaredump::capture
