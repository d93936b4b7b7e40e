// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/capture_context.h"

#include "common/redact.h"
#include "common/text.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {

using namespace std::chrono_literals;

api::Patience CaptureContext::BeforeJob() const {
  return {.retry_budget = 5s, .stop = stop.Stopping(), .countdown = [this](Duration left) {
            Tell("Cloudflare asks to wait, " + FormatSpan(left) + " left");
          }};
}

api::Patience CaptureContext::WithJob() const {
  const auto budget = std::chrono::seconds(settings.Number(config::Opt::kRetryTime));
  api::Patience patience = BeforeJob();
  patience.retry_budget = budget;
  patience.stop = stop.StoppingSoon();
  return patience;
}

void CaptureContext::Tell(const std::string& state) const {
  reporter.Status(Redact(state));
  // States count seconds; a log that does is of no use.
  if (std::string phase = WithoutNumbers(state); phase != logged_phase) {
    logged_phase = std::move(phase);
    system::Log(system::LogLevel::kDebug, "%s", state.c_str());
  }
}

void CaptureContext::Warn(const std::string& sentence) const {
  reporter.Warning(Redact(sentence));
  system::Log(system::LogLevel::kWarning, "%s", sentence.c_str());
}

}  // namespace cloudflaredump::capture
