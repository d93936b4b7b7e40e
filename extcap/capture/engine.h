// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "common/result.h"
#include "extcap/api/pcaps_api.h"
#include "extcap/config/settings.h"
#include "extcap/http/curl_http.h"
#include "extcap/system/glib_event_loop.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump::capture {

/// The parts that every command which talks to Cloudflare needs, made in the order of their
/// dependence: loop, signals, network. One a process.
class Engine {
 public:
  /// Opens the log that `settings` name and reads CLOUDFLAREDUMP_SPEED, which is refused unless
  /// every endpoint is on this machine.
  static Result<std::unique_ptr<Engine>> Make(const config::Settings& settings,
                                              const system::Environment& environment);

  /// Signals are collected from construction on, so it comes early.
  explicit Engine(double speed) : loop_(speed), stop_(loop_), http_(loop_) {}

  system::EventLoop& loop() { return loop_; }
  system::StopRequests& stop() { return stop_; }
  http::Http& http() { return http_; }

 private:
  system::GlibEventLoop loop_;
  system::StopRequests stop_;
  http::CurlHttp http_;
};

/// Where the API is and who asks, or the sentence that leads a first-time user.
Result<api::ApiAccess> FindAccess(const config::Settings& settings);

/// What CLOUDFLAREDUMP_SPEED says, 1 if it is not set. It shortens waits that protect Cloudflare's
/// service, so it is for loopback endpoints only.
Result<double> ReadSpeed(const config::Settings& settings, const system::Environment& environment);

}  // namespace cloudflaredump::capture
