// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "common/capture_description.h"
#include "extcap/api/pcap_job.h"

namespace cloudflaredump::capture {

/// What a job says of itself, as far as the capture description has room for it. destination_conf
/// is left to the caller, who redacts it.
CaptureDescription DescribeJob(const api::PcapJob& job);

}  // namespace cloudflaredump::capture
