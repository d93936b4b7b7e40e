// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/bucket_source.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"

namespace cloudflaredump {

/// Collects the files of the finished full capture `job` from `place`: waits until the listing has
/// settled, fetches the files side by side, merges and delivers them, looks for late ones, and ends
/// the stream with the verdict. `asked` begins the verdict. Fills `outcome`.
Result<void> CollectParts(const CaptureContext& context, const PartsPlace& place,
                          const PcapJob& job, bool exact_plan, const std::string& asked,
                          Outcome& outcome);

}  // namespace cloudflaredump
