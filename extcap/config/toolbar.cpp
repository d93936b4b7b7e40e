// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/toolbar.h"

namespace cloudflaredump::config {
namespace {

constexpr ToolbarControlRow kControls[] = {
    {.id = ToolbarControl::kStatus,
     .type = "string",
     .role = "control",
     .display = "Status",
     .tooltip = "Shows what the capture at Cloudflare is doing.",
     .placeholder = "no capture is running"},
    {.id = ToolbarControl::kFinish,
     .type = "button",
     .role = "control",
     .display = "Finish now",
     .tooltip = "Stop the capture at Cloudflare now, and keep this one open until everything that "
                "was captured has arrived. Stop waits only for a while."},
    {.id = ToolbarControl::kLog,
     .type = "button",
     .role = "logger",
     .display = "Log",
     .tooltip = "Show the requests to Cloudflare and their results."},
    {.id = ToolbarControl::kHelp,
     .type = "button",
     .role = "help",
     .display = "Help",
     .tooltip = "Open Cloudflare's page about packet captures."},
};

}  // namespace

std::span<const ToolbarControlRow> AllToolbarControls() {
  return kControls;
}

}  // namespace cloudflaredump::config
