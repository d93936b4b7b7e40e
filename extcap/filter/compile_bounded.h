// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <functional>
#include <vector>

#include "common/result.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::filter {

/// What libpcap made of a filter's text.
struct Compiled {
  CaptureFilter::Kind kind = CaptureFilter::Kind::kIp;
  /// Empty for a filter about link-layer headers, whose link type is still to come, and for one
  /// with names that nobody looked up.
  std::vector<bpf_insn> instructions;
};

/// Runs `compile` in a child process that looks no names up. Only if that finds a name, and
/// `lookup` is kResolve, again in one that does, and that is killed at its `bounds`. In this
/// process if it is one that looks no names up itself.
Result<Compiled> CompileBounded(const std::function<Result<Compiled>()>& compile, NameLookup lookup,
                                const LookupBounds& bounds);

}  // namespace cloudflaredump::filter
