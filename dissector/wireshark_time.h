// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <wsutil/nstime.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "common/time.h"

namespace cloudflaredump::dissector {

/// A time of the capture description as Wireshark keeps times; nothing if it is none.
inline std::optional<nstime_t> ToWireshark(std::string_view rfc3339) {
  const auto time = ParseRfc3339(rfc3339);
  if (!time) return std::nullopt;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
  nstime_t converted = {};
  converted.secs = static_cast<time_t>(seconds.time_since_epoch().count());
  converted.nsecs = static_cast<int>((*time - seconds).count());
  return converted;
}

}  // namespace cloudflaredump::dissector
