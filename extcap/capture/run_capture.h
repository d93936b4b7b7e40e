// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/engine.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/reporter.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/system/byte_sink.h"

namespace cloudflaredump::capture {

/// Runs one capture on `interface` with the user's filter into `sink`, which it closes. The one
/// road for Wireshark, tshark and `cloudflaredump capture`.
Outcome RunCapture(Engine& engine, const config::Settings& settings,
                   const config::CaptureInterface& interface, const std::string& filter_text,
                   system::ByteSink& sink, Reporter& reporter);

}  // namespace cloudflaredump::capture
