// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::filter {

/// Runs a filter program over a packet of which only the first bytes were captured. The missing
/// ones, up to `original_length`, may have any value: kMatches or kRejects is the word of
/// bpf_filter whatever they are. kUndecided says that following each test both ways led to both
/// words (or to too many ways to follow, or into a loop without an end). Beyond `original_length` a
/// load rejects, as in bpf_filter.
FilterAnswer RunOnCutPacket(const std::vector<bpf_insn>& program,
                            std::span<const std::byte> captured, std::uint32_t original_length);

}  // namespace cloudflaredump::filter
