// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// The plan for `filter` as `cloudflaredump explain` prints it: one line of JSON with the keys
/// filter, requests, exact, broad and undocumented in this order, without a newline.
std::string ExplainJson(std::string_view filter, const filter::Plan& plan);

}  // namespace cloudflaredump::capture
