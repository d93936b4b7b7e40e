// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/api/pcaps_api.h"
#include "extcap/system/log.h"

namespace cloudflaredump::api {

/// Calls `ask` until it succeeds or its Error is not passing, waiting between two tries as Backoff
/// does. `ask` leaves the wait that the server wishes in `retry_after`.
template <class Ask>
auto Repeat(system::EventLoop& loop, const Patience& patience, const std::string& retry_after,
            const Ask& ask) -> decltype(ask()) {
  http::Backoff backoff(loop, patience.retry_budget);
  for (;;) {
    auto result = ask();
    if (result || result.error().kind != Error::Kind::kPassing) return result;
    system::Log(system::LogLevel::kWarning, "%s", ClauseOf(result.error()).c_str());
    if (!backoff.WaitForNextTry(retry_after, patience.stop, patience.countdown)) {
      if (patience.stop()) return Stopped();
      return result;
    }
  }
}

/// Whether an answer says that what was asked for is not there yet, or not any more.
inline bool IsNotYet(int status) {
  return status == 404 || status == 409 || status == 425;
}

// PcapsApi::Ask, for the files that implement PcapsApi.
template <class T>
Result<T> PcapsApi::Ask(const http::HttpRequest& request, const char* doing,
                        const Patience& patience,
                        const std::function<Result<T>(const http::HttpAnswer&)>& read) {
  return Repeat(loop_, patience, retry_after_, [&]() -> Result<T> {
    auto answer = AskOnce(request, doing, patience);
    if (!answer) return Failure(answer);
    auto result = read(*answer);
    if (!result && IsNotYet(answer->head.status) && loop_.Steady() < patience.fresh_until) {
      result.error().kind = Error::Kind::kPassing;
    }
    return result;
  });
}

}  // namespace cloudflaredump::api
