// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/bucket_source.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"

namespace cloudflaredump::capture {

/// Collects and delivers the files of the finished full capture `job` of ours from `place`, and
/// ends the stream with the verdict. `asked` begins the verdict. Fills `outcome`.
Result<void> DeliverFull(const CaptureContext& context, const FilesPlace& place,
                         const api::PcapJob& job, bool exact_plan, const std::string& asked,
                         Outcome& outcome);

/// The same for a capture that this run did not ask for: nobody knows how exact its filter is for
/// the one given now, and after a stop no more files are looked for.
Result<void> DeliverOthersFull(const CaptureContext& context, const api::PcapJob& job,
                               Outcome& outcome);

}  // namespace cloudflaredump::capture
