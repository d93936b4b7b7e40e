// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/compare/comparison.h"
#include "extcap/config/settings.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::tool {

/// Adds what Cloudflare itself dropped of the compared traffic, by its analytics, where packets are
/// missing and an account is configured whose analytics can be read: such packets were seen before
/// they were dropped. Waits at most three seconds; what goes wrong is not said.
void AddDropsAtCloudflare(compare::Comparison& comparison, const filter::CaptureFilter& filter,
                          const config::Settings& settings);

}  // namespace cloudflaredump::tool
