// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/api/pcap_job.h"
#include "extcap/capture/capture_context.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// The POST of a full capture, from the settings and the plan's one request. Error (kUsage): no
/// data center, no bucket, or a plan so broad that other traffic would use up the packet limit,
/// with the narrower filters that would work; with --if-broad warn that is a warning.
Result<api::PcapRequest> MakeFullRequest(const CaptureContext& context, const filter::Plan& plan);

}  // namespace cloudflaredump::capture
