// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "common/result.h"
#include "extcap/api/pcaps_api.h"

namespace cloudflaredump::capture {

/// Whether a failed job is no failure but an empty capture: "No packets matched the filter…".
bool IsEmptyCapture(const api::PcapJob& job);

/// The command that downloads the capture `id`, to be pasted; with the capture filter, if there is
/// one and it is not so long that nobody would.
std::string DownloadCommand(const std::string& id, const std::string& filter);

/// The remedy of whoever cannot have the capture `id` now.
std::string HowToGetLater(const std::string& id, const std::string& filter);

/// How long to wait before poll number `poll` (from 0), `waited` into the job: 1, 2, 3, 5 s, then
/// every 5 s, and every 30 s after ten minutes.
Duration PollInterval(int poll, Duration waited);

/// Waits until `job` is over: polls it, calling `told` with each answer and every second between
/// them, so that times in a status move. Returns the finished job
/// (kDone, or an empty capture), or an Error: what Cloudflare says failed, the deadline, a final
/// API error, kInterrupted once `patience.stop` says so.
Result<api::PcapJob> AwaitJob(api::PcapsApi& api, system::EventLoop& loop, api::PcapJob job,
                              system::SteadyTime deadline, const api::Patience& patience,
                              const std::function<void(const api::PcapJob&)>& told);

}  // namespace cloudflaredump::capture
