// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/api/pcaps_api.h"

namespace cloudflaredump::capture {

/// Waits until Cloudflare takes another sample request: it takes one in `interval` for the whole
/// account, so the list says when the last one was. `countdown` is called about once a second with
/// the time left. Returns the list as last read, for PcapsApi::Create.
Result<std::vector<api::PcapJob>> AwaitSampleTurn(api::PcapsApi& api, system::EventLoop& loop,
                                                  Duration interval, const api::Patience& patience,
                                                  const std::function<void(Duration)>& countdown);

/// How long the youngest sample in `jobs` still keeps others out; zero if it does not. Ages are
/// taken on the loop's clock.
Duration SampleWait(const std::vector<api::PcapJob>& jobs, const system::EventLoop& loop,
                    Duration interval);

}  // namespace cloudflaredump::capture
