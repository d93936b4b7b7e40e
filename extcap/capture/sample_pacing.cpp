// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_pacing.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// The age of a sample on the loop's clock; nothing of what is no sample.
std::optional<Duration> AgeOf(const api::PcapJob& job, const system::EventLoop& loop) {
  const auto submitted = job.submitted_at();
  if (job.type != "simple" || !submitted) return std::nullopt;
  return loop.FromReal(std::max<Duration>(loop.Now() - *submitted, Duration(0)));
}

bool Holds(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

bool CountDown(system::EventLoop& loop, Duration wait, const std::function<bool()>& stop,
               const std::function<void(Duration)>& countdown) {
  const system::SteadyTime until = loop.Steady() + wait;
  for (system::SteadyTime now = loop.Steady(); now < until; now = loop.Steady()) {
    countdown(until - now);
    if (loop.RunUntil(stop, std::min(now + Duration(1s), until))) return false;
  }
  return true;
}

Duration SampleWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                    Duration interval) {
  Duration wait{0};
  for (const api::PcapJob& job : jobs) {
    if (const auto age = AgeOf(job, loop)) wait = std::max(wait, interval - *age);
  }
  return wait;
}

Duration YieldingWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                      Duration interval, const Yielding& yielding) {
  constexpr int kTurnsRemembered = 10;
  bool others = false;
  Duration wait{0};
  for (const api::PcapJob& job : jobs) {
    const auto age = AgeOf(job, loop);
    if (!age) continue;
    const bool mine = Holds(yielding.ours, job.id);
    const bool before = Holds(yielding.before, job.id);
    others = others || (!mine && !before && *age < kTurnsRemembered * interval);
    if (mine) wait = std::max(wait, 2 * interval - *age);
  }
  return others ? wait : Duration(0);
}

Result<std::vector<api::PcapJob>> AwaitSampleTurn(api::PcapsApi& api, system::EventLoop& loop,
                                                  const SamplePace& pace,
                                                  const api::Patience& patience,
                                                  const TurnCountdown& countdown) {
  std::set<std::string> awaited;
  for (int look = 1;; ++look) {
    auto jobs = api.List(patience);
    if (!jobs) return jobs;
    std::vector<api::PcapJob> in_the_way;
    std::ranges::copy_if(*jobs, std::back_inserter(in_the_way),
                         [&](const api::PcapJob& job) { return !awaited.contains(job.id); });
    const Duration taken = SampleWait(in_the_way, loop, pace.interval);
    const Duration left_to_others =
        pace.yielding == nullptr ? Duration(0)
                                 : YieldingWait(in_the_way, loop, pace.interval, *pace.yielding);
    const Duration wait = std::max(taken, left_to_others);
    if (wait == Duration(0)) return jobs;
    // An interval later these are out of the way, whatever a clock that is wrong makes of them.
    for (const api::PcapJob& job : *jobs) awaited.insert(job.id);
    // Clocks differ by fractions of a second; a request that is too early costs a whole try.
    // Where others are quick to take a turn, a second one is not left to them by such care.
    const bool contested = look > 1;
    const Duration margin = contested ? Duration(0) : Duration(500ms);
    const auto tell = [&](Duration left) { countdown(left, left_to_others > taken); };
    if (!CountDown(loop, wait + margin, patience.stop, tell)) return Stopped();
    if (contested) return jobs;
    // Somebody else may have used the turn meanwhile: look again.
  }
}

}  // namespace cloudflaredump::capture
