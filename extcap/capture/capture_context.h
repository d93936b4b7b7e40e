// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/api/pcaps_api.h"
#include "extcap/capture/pcapng_stream.h"
#include "extcap/capture/reporter.h"
#include "extcap/capture/started_captures.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/system/environment.h"
#include "extcap/system/event_loop.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump::capture {

/// What a capture works with: all that is outside of it. Everything outlives it.
struct CaptureContext {
  api::PcapsApi& api;
  http::Http& http;
  system::EventLoop& loop;
  system::StopRequests& stop;
  Reporter& reporter;
  const config::Settings& settings;
  const system::Environment& environment;
  const std::string& account_id;
  StartedCaptures& started;
  const filter::CaptureFilter& filter;
  const config::CaptureInterface& interface;
  PcapngStream& stream;
  mutable std::string logged_phase = {};  ///< the last state in the log, without its numbers

  /// Until a job exists nothing is lost by giving up soon.
  api::Patience BeforeJob() const;
  /// While a job of ours runs or is fetched, an outage is waited out (retry-time). "Finish now"
  /// does not end it, for the job's packets are what it asks for.
  api::Patience WithJob() const;
  /// Tells the reporter and the log.
  void Tell(const std::string& state) const;
  void Warn(const std::string& sentence) const;
};

}  // namespace cloudflaredump::capture
