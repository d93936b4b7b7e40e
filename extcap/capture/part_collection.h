// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/bucket_source.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"

namespace cloudflaredump::capture {

/// Collects the files of the finished full capture `job` from `place`: waits until the listing has
/// settled, fetches the files side by side, merges and delivers them, looks for late ones, and ends
/// the stream with the verdict. `asked` begins the verdict. Fills `outcome`.
Result<void> CollectParts(const CaptureContext& context, const PartsPlace& place,
                          const api::PcapJob& job, bool exact_plan, const std::string& asked,
                          Outcome& outcome);

/// The same for a capture that this run did not ask for: its files are where it says (else where
/// the settings say), and nobody knows how exact its filter is for the one given now.
Result<void> CollectOthersParts(const CaptureContext& context, http::Http& http,
                                const api::PcapJob& job, Outcome& outcome);

}  // namespace cloudflaredump::capture
