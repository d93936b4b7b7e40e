// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/account_turn.h"

#include <algorithm>

#include "extcap/capture/job_watch.h"
#include "extcap/capture/running_captures.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

/// Waits for the end of a running capture; an Error if that does not come, or on a stop.
Result<void> AwaitOther(const CaptureContext& context, const api::PcapJob& running) {
  api::Patience patience = context.WithJob();
  patience.stop = context.stop.Stopping();
  const system::SteadyTime deadline = DeadlineOf(running, context);
  auto over =
      AwaitJob(context.api, context.loop, running, deadline, patience, [&](const auto& told) {
        context.Tell("waiting for the full capture " + NameRunning(told, context.loop.Now()));
      });
  if (!over && over.error().kind == Error::Kind::kInterrupted) return Failure(over);
  // That it failed is not our trouble; that it does not end is.
  if (!over && context.loop.Steady() >= deadline) {
    return std::unexpected(BusyError(running, context.loop.Now()));
  }
  constexpr Duration kPause = std::chrono::seconds(1);
  if (context.loop.RunUntil(context.stop.Stopping(), context.loop.Steady() + kPause)) {
    return Stopped();
  }
  return {};
}

/// Whether the capture of a record must have reached its own time limit.
bool HasRunOut(const StartedCapture& left, WallTime now) {
  constexpr std::uint64_t kLongest = 86400;  // the API's limit, in seconds
  constexpr Duration kBegins = std::chrono::minutes(10);
  const auto asked_at = ParseRfc3339(left.at);
  const std::uint64_t lasts = std::min(left.AsJob().time_limit.value_or(kLongest), kLongest);
  return !asked_at || now - *asked_at > std::chrono::seconds(lasts) + kBegins;
}

/// The capture that a POST without an answer made, if it is still going.
std::optional<std::string> FindLeftover(const CaptureContext& context, const StartedCapture& left) {
  auto jobs = context.api.List(context.BeforeJob());
  if (!jobs) return std::nullopt;
  for (const api::PcapJob& job : *jobs) {
    const bool going = job.phase() == api::JobPhase::kGoing && api::IsPcapId(job.id);
    if (!going || !left.Asked(job) || context.started.Has(job.id)) continue;
    context.started.NeedsStop(left.key, true);
    context.started.Started(left.key, job.id);
    return job.id;
  }
  // The list says that nothing came of it, or that it is over; unless it lags behind, or has no
  // place for it any more.
  constexpr Duration kListIsCurrent = std::chrono::minutes(1);
  const WallTime now = context.loop.Now();
  const auto asked_at = ParseRfc3339(left.at);
  const bool listed =
      jobs->size() < api::kLongestList && asked_at && now - *asked_at > kListIsCurrent;
  if (listed || HasRunOut(left, now)) context.started.Forget(left.key);
  return std::nullopt;
}

/// Stops captures that earlier runs left running at Cloudflare. To be called with the turn: nobody
/// else is between a request and its answer then.
void StopLeftovers(const CaptureContext& context) {
  for (const StartedCapture& left : context.started.ToStop(context.account_id)) {
    const auto id =
        left.pcap_id.empty() ? FindLeftover(context, left) : std::optional(left.pcap_id);
    if (!id) continue;
    system::Log(system::LogLevel::kInfo, "stopping %s, which an earlier run could not stop",
                id->c_str());
    const auto stopped = context.api.Stop(*id, context.BeforeJob());
    // A refusal may be the token's or a proxy's: it does not say that the capture is over.
    if (stopped || HasRunOut(left, context.loop.Now())) context.started.NeedsStop(left.key, false);
  }
}

}  // namespace

Result<AccountTurn> AwaitAccountTurn(const CaptureContext& context) {
  for (bool first = true;; first = false) {
    // Two of this user's captures that begin at once would both see a free account.
    AccountTurn account{.turn = context.started.AwaitTurn(context.loop, context.stop.Stopping()),
                        .known = {},
                        .attach = {}};
    if (first && account.turn != nullptr) StopLeftovers(context);
    auto jobs = ListCaptures(context.api, context.started, context.account_id, context.BeforeJob());
    if (!jobs) return Failure(jobs);
    account.known = *std::move(jobs);
    const api::PcapJob* const running = FindRunning(account.known, context.loop.Now());
    if (running == nullptr) return account;
    const std::string& wish = context.settings.Text(config::Opt::kIfBusy);
    if (wish == "fail") return std::unexpected(BusyError(*running, context.loop.Now()));
    if (wish == "attach") {
      account.attach = *running;
      return account;
    }
    account.turn.reset();
    if (auto over = AwaitOther(context, *running); !over) return Failure(over);
  }
}

}  // namespace cloudflaredump::capture
