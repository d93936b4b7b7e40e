// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <span>

#include "extcap/filter/box.h"

namespace cloudflaredump::filter {

/// Whether `program` (for raw IP, without loops) accepts every well-formed IPv4 and IPv6 packet in
/// `box`, under the meaning of its fields. False if that is not certain.
bool AcceptsAllOf(std::span<const bpf_insn> program, const Box& box);

}  // namespace cloudflaredump::filter
