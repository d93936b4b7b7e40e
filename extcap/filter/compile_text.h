// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::filter {

/// What libpcap made of a filter's text.
struct Compiled {
  CaptureFilter::Kind kind = CaptureFilter::Kind::kIp;
  /// For raw IP; for Ethernet if the filter is about link-layer headers. Empty where names were
  /// accepted that nobody looked up.
  std::vector<bpf_insn> instructions;
};

/// Compiles `text` in this process: for raw IP if libpcap can, else as a filter about link-layer
/// headers if it can for Ethernet.
Result<Compiled> CompileText(const std::string& text, NameLookup lookup);

}  // namespace cloudflaredump::filter
