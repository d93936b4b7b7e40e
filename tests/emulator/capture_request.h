// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "tests/emulator/answer.h"
#include "tests/emulator/filter_v1.h"
#include "tests/emulator/options.h"

namespace cloudflare_emulator {

/// A capture request that has passed the published schema of its type.
struct CaptureRequest {
  bool full = false;
  double time_limit = 0;  ///< Seconds.
  std::optional<double> packet_limit{};
  std::optional<double> byte_limit{};  ///< Full captures only, as the next.
  std::string destination_conf{};
  FilterV1 filter{};
  std::optional<Time> offset_time{};
  /// The request's own values, for answers: what was asked is shown as it was written.
  std::shared_ptr<const json_t> body{};
};

/// Reads the body of a create request by the schema `request_simple` or `request_full`, whichever
/// its `type` names. (As published, `anyOf` over both would let a full request without data center
/// or bucket pass.) Members that the schema does not know pass. `now` is for offset_time, which
/// "must be within the last 24h"; the clocks of both sides may differ by a few seconds.
std::expected<CaptureRequest, ApiError> ReadCaptureRequest(const std::string& body, Time now,
                                                           const CaptureOptions& options);

}  // namespace cloudflare_emulator
