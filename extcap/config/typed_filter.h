// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "common/time.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::config {

// Wireshark has each capture filter checked as it is typed, but does not pass it when it asks for
// the values of an option. So the check leaves it in `$XDG_RUNTIME_DIR/cloudflaredump/filter-IF`, a
// private file that the session's end removes. Without that variable nothing is left.

/// Leaves the filter that was typed for the interface; trouble is passed over.
void RememberTypedFilter(const std::string& interface_name, const std::string& filter,
                         const system::Environment& environment);

/// The filter that was last typed for the interface, in the half hour before `now`.
std::optional<std::string> TypedFilter(const std::string& interface_name, WallTime now,
                                       const system::Environment& environment);

}  // namespace cloudflaredump::config
