// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "common/time.h"
#include "extcap/capture/outcome.h"

namespace cloudflaredump::tool {

/// A capture as a ticket wants it, in Markdown: what was asked, what came, the verdict.
/// `file` is what was written, "-" for standard output; `from` and `to` when the command ran. Asks
/// `stopped` while it reads the file again.
std::string CaptureReport(const capture::Outcome& outcome, const std::string& interface,
                          const std::string& filter, const std::string& file, WallTime from,
                          WallTime to, const std::function<bool()>& stopped);

}  // namespace cloudflaredump::tool
