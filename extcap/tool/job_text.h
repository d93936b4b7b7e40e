// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/api/pcap_job.h"

struct json_t;

namespace cloudflaredump::tool {

/// The job's filter as one line: "destination_address 192.0.2.1, protocol 6", or "none".
std::string FilterText(const FilterV1& filter);

/// When the job was submitted, to the second, or "-".
std::string ShortTime(const api::PcapJob& job);

/// What the API said, field by field under its own names, a line each; destination_conf redacted.
std::string JobAsText(const api::PcapJob& job);

/// The same as a JSON object; a new reference.
json_t* JobAsJson(const api::PcapJob& job);

}  // namespace cloudflaredump::tool
