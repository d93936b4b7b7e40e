// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"

namespace cloudflaredump::capture {

/// Delivers an earlier capture, sample or full, by its id: --pcap-id, or `latest`, the newest one
/// started from here. One that still runs is waited for and never stopped.
Outcome RunDownload(const CaptureContext& context);

}  // namespace cloudflaredump::capture
