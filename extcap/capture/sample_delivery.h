// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "extcap/capture/delivery.h"
#include "extcap/capture/sample_file.h"

namespace cloudflaredump::capture {

/// Delivers the samples of one window, given in the order of the plan's `requests`, and says in
/// `outcome` what they lack. They go to the reader at once.
Result<void> DeliverSamples(const CaptureContext& context, std::vector<SampleFile> samples,
                            std::size_t requests, Delivery& delivery, WindowDuplicates& duplicates,
                            Outcome& outcome);

}  // namespace cloudflaredump::capture
