// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/api/pcaps_api.h"
#include "extcap/system/log.h"

namespace cloudflaredump {

// PcapsApi::Ask, for the files that implement PcapsApi.
template <class T>
Result<T> PcapsApi::Ask(const HttpRequest& request, const char* doing, const Patience& patience,
                        const std::function<Result<T>(const HttpAnswer&)>& read) {
  Backoff backoff(loop_, patience.retry_budget);
  for (;;) {
    auto answer = AskOnce(request, doing, patience);
    auto result = answer ? read(*answer) : Result<T>(std::unexpected(answer.error()));
    if (result || result.error().kind != Error::Kind::kTransient) return result;
    Log(LogLevel::kWarning, "%s", result.error().message.c_str());
    if (!backoff.WaitForNextTry(retry_after_, patience.stop)) {
      if (patience.stop()) return Fail("stopped.", Error::Kind::kInterrupted);
      return result;
    }
  }
}

}  // namespace cloudflaredump
