// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/api/pcaps_api.h"
#include "extcap/system/log.h"

namespace cloudflaredump::api {

/// Whether an answer says that what was asked for is not there yet, or not any more.
inline bool IsNotYet(int status) {
  return status == 404 || status == 409 || status == 425;
}

// PcapsApi::Ask, for the files that implement PcapsApi.
template <class T>
Result<T> PcapsApi::Ask(const http::HttpRequest& request, const char* doing,
                        const Patience& patience,
                        const std::function<Result<T>(const http::HttpAnswer&)>& read) {
  http::Backoff backoff(loop_, patience.retry_budget);
  for (;;) {
    auto answer = AskOnce(request, doing, patience);
    auto result = answer ? read(*answer) : Result<T>(Failure(answer));
    if (result) return result;
    if (answer && IsNotYet(answer->head.status) && loop_.Steady() < patience.fresh_until) {
      result.error().kind = Error::Kind::kPassing;
    }
    if (result.error().kind != Error::Kind::kPassing) return result;
    system::Log(system::LogLevel::kWarning, "%s", ClauseOf(result.error()).c_str());
    if (!backoff.WaitForNextTry(retry_after_, patience.stop, patience.countdown)) {
      if (patience.stop()) return Stopped();
      return result;
    }
  }
}

}  // namespace cloudflaredump::api
