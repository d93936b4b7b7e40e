// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_pacing.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// Waits for `wait`, telling what is left of it every second; false if stopped.
bool CountDown(system::EventLoop& loop, Duration wait, const std::function<bool()>& stop,
               const std::function<void(Duration)>& countdown) {
  const system::SteadyTime until = loop.Steady() + wait;
  for (system::SteadyTime now = loop.Steady(); now < until; now = loop.Steady()) {
    countdown(until - now);
    if (loop.RunUntil(stop, std::min(now + Duration(1s), until))) return false;
  }
  return true;
}

}  // namespace

Duration SampleWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                    Duration interval) {
  Duration wait{0};
  for (const api::PcapJob& job : jobs) {
    const auto submitted = job.submitted_at();
    if (job.type != "simple" || !submitted) continue;
    const auto real_age = std::max<Duration>(loop.Now() - *submitted, Duration(0));
    const auto age = loop.FromReal(real_age);
    if (age < interval) wait = std::max(wait, interval - age);
  }
  return wait;
}

Result<std::vector<api::PcapJob>> AwaitSampleTurn(api::PcapsApi& api, system::EventLoop& loop,
                                                  Duration interval, const api::Patience& patience,
                                                  const std::function<void(Duration)>& countdown) {
  std::set<std::string> awaited;
  for (;;) {
    auto jobs = api.List(patience);
    if (!jobs) return jobs;
    std::vector<api::PcapJob> in_the_way;
    std::ranges::copy_if(*jobs, std::back_inserter(in_the_way),
                         [&](const api::PcapJob& job) { return !awaited.contains(job.id); });
    const Duration wait = SampleWait(in_the_way, loop, interval);
    if (wait == Duration(0)) return jobs;
    // An interval later these are out of the way, whatever a clock that is wrong makes of them.
    for (const api::PcapJob& job : *jobs) awaited.insert(job.id);
    // Clocks differ by fractions of a second; a request that is too early costs a whole try.
    constexpr Duration kMargin = 500ms;
    if (!CountDown(loop, wait + kMargin, patience.stop, countdown)) {
      return Stopped();
    }
    // Somebody else may have used the turn meanwhile: look again.
  }
}

}  // namespace cloudflaredump::capture
