// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "extcap/api/pcaps_api.h"
#include "extcap/capture/capture_context.h"

namespace cloudflaredump::capture {

/// What AwaitAccountTurn found.
struct AccountTurn {
  std::unique_ptr<Turn> turn;          ///< held until the POST has its answer
  std::vector<api::PcapJob> known;     ///< the captures that there were, for PcapsApi::Create
  std::optional<api::PcapJob> attach;  ///< a running capture of somebody else, to be attached to
};

/// Waits until the account has no full capture, for Cloudflare runs one at a time. What happens
/// while there is one is --if-busy: an Error that names it, a wait for its end, or its attachment.
/// Before it looks, it stops the captures that earlier runs should have stopped and could not.
Result<AccountTurn> AwaitAccountTurn(const CaptureContext& context);

}  // namespace cloudflaredump::capture
