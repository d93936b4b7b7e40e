// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "dissector/capture_description.h"
#include "extcap/api/pcap_job.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump {

/// What a job says of itself, as far as the capture description has room for it. destination_conf
/// is left to the caller, who redacts it.
CaptureDescription DescribeJob(const PcapJob& job);

/// A request of the plan as the API wants it.
FilterV1 ToFilterV1(const Box& box);

}  // namespace cloudflaredump
