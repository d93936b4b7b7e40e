// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extcap/api/pcaps_api.h"
#include "extcap/capture/capture_context.h"

namespace cloudflaredump::capture {

/// The account's captures, newest first: its list, and the full captures started here that samples
/// have pushed out of it. Those that cannot be had are left out.
Result<std::vector<api::PcapJob>> ListCaptures(api::PcapsApi& api, const StartedCaptures& started,
                                               const std::string& account_id,
                                               const api::Patience& patience);

/// The full capture in `jobs` that keeps others out, or null. One that should have ended long ago
/// is passed over: Cloudflare itself will say if it does keep others out.
const api::PcapJob* FindRunning(const std::vector<api::PcapJob>& jobs, WallTime now);

/// "filter destination_address 192.0.2.1, protocol 6", or "no filter"; cleaned.
std::string FilterOf(const api::PcapJob& job);

/// "ID at ORD, since 06:20:00Z, 40 s left, filter …": a running capture for messages.
std::string NameRunning(const api::PcapJob& job, WallTime now);

/// Says which capture is in the way and what can be done.
Error BusyError(const api::PcapJob& running, WallTime now);

/// Until when a job is waited for: its time limit and max-wait.
system::SteadyTime DeadlineOf(const api::PcapJob& job, const CaptureContext& context);

/// A Patience for calls that must end within `span` whatever else happens, stops included. The loop
/// is woken when the time is over.
class Bounded {
 public:
  Bounded(system::EventLoop& loop, Duration span);
  Bounded(const Bounded&) = delete;
  Bounded& operator=(const Bounded&) = delete;
  ~Bounded() { loop_.Cancel(timer_); }

  api::Patience patience() const;

 private:
  system::EventLoop& loop_;
  system::SteadyTime end_;
  system::EventLoop::Id timer_;
};

}  // namespace cloudflaredump::capture
