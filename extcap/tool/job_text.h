// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/api/pcap_job.h"

struct json_t;

namespace cloudflaredump::tool {

/// Formats a filter as one line: "destination_address 192.0.2.1, protocol 6", or "none".
std::string FilterText(const FilterV1& filter);

/// Formats when the job was submitted, to the second, or "-".
std::string ShortTime(const api::PcapJob& job);

/// Formats the job field by field under the API's names, one per line; destination_conf redacted.
std::string JobAsText(const api::PcapJob& job);

/// Formats it as a JSON object; returns a new reference.
json_t* JobAsJson(const api::PcapJob& job);

}  // namespace cloudflaredump::tool
