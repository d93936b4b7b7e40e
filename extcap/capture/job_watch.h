// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "extcap/api/pcaps_api.h"
#include "extcap/base/result.h"

namespace cloudflaredump {

/// Whether a failed job is no failure but an empty capture: "No packets matched the filter…".
bool IsEmptyCapture(const PcapJob& job);

/// How long to wait before poll number `poll` (from 0), `waited` into the job: 1, 2, 3, 5 s, then
/// every 5 s, and every 30 s after ten minutes.
Duration PollInterval(int poll, Duration waited);

/// Waits until `job` is over: polls it, calling `told` with each answer and every second between
/// them, so that times in a status move. Returns the finished job
/// (kDone, or an empty capture), or an Error: what Cloudflare says failed, the deadline (naming how
/// to get the capture later), a final API error, kInterrupted once `patience.stop` says so.
Result<PcapJob> AwaitJob(PcapsApi& api, EventLoop& loop, PcapJob job, SteadyTime deadline,
                         const Patience& patience, const std::function<void(const PcapJob&)>& told);

}  // namespace cloudflaredump
