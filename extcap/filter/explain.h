// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <jansson.h>

#include <string>
#include <string_view>

#include "extcap/filter/plan.h"

namespace cloudflaredump {

/// `box` as the API's `filter_v1`: addresses as text, ports and protocol as numbers, in the order
/// of the API's example. A new reference; {} for the box that holds everything.
json_t* FilterV1Json(const Box& box);

/// The plan for `filter` as `cloudflaredump explain` prints it: one line of JSON with the keys
/// filter, requests, exact, broad and undocumented in this order, without a newline.
std::string ExplainJson(std::string_view filter, const Plan& plan);

}  // namespace cloudflaredump
