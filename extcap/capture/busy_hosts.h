// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/capture/sample_file.h"

namespace cloudflaredump::capture {

/// The two addresses that most packets of `samples` went to, as filters: "dst host 203.0.113.7
/// (61%), dst host 203.0.113.9 (20%)". Empty if no IP packet is in them, or if all went to one
/// address, which narrows nothing. The files stay as they are.
std::string BusiestDestinations(const std::vector<SampleFile>& samples);

}  // namespace cloudflaredump::capture
