// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/api/pcaps_api.h"

namespace cloudflaredump::capture {

/// Whose samples a run looks at that leaves every second turn to others.
struct Yielding {
  const std::vector<std::string>& ours;  ///< the ids of the run's captures
  std::vector<std::string> before;       ///< of the same user's runs that ended before it
};

/// How a run takes its turns. Cloudflare takes one sample request in `interval` for the whole
/// account.
struct SamplePace {
  Duration interval;
  /// Null if the run takes each turn that it can get.
  const Yielding* yielding = nullptr;
};

/// Is told about once a second how long a turn is still awaited, and whether the wait is so long
/// because one is left to others.
using TurnCountdown = std::function<void(Duration left, bool leaves_turn)>;

/// Waits until Cloudflare takes another sample request: the list says when the last one was.
/// Returns the list as last read, for PcapsApi::Create.
Result<std::vector<api::PcapJob>> AwaitSampleTurn(api::PcapsApi& api, system::EventLoop& loop,
                                                  const SamplePace& pace,
                                                  const api::Patience& patience,
                                                  const TurnCountdown& countdown);

/// Waits for `wait`, telling what is left of it every second; false if stopped.
bool CountDown(system::EventLoop& loop, Duration wait, const std::function<bool()>& stop,
               const std::function<void(Duration)>& countdown);

/// How long the youngest sample in `jobs` still keeps others out; zero if it does not. Ages are
/// taken on the loop's clock.
Duration SampleWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                    Duration interval);

/// How long a run waits besides, so that every second turn is free for those who took samples in
/// the last ten turns; zero if nobody did.
Duration YieldingWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                      Duration interval, const Yielding& yielding);

}  // namespace cloudflaredump::capture
