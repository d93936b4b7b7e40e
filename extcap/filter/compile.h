// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"

namespace cloudflaredump::filter {

/// A compiled filter that owns its instructions.
class FilterProgram {
 public:
  explicit FilterProgram(std::vector<bpf_insn> instructions);
  FilterProgram(const FilterProgram&) = delete;
  FilterProgram& operator=(const FilterProgram&) = delete;

  const std::vector<bpf_insn>& instructions() const { return instructions_; }
  /// The same as libpcap wants it; lives as long as this object.
  const bpf_program* view() const { return &view_; }
  /// Whether it jumps backwards (protochain): libpcap may run it forever on a hostile packet.
  bool loops() const { return loops_; }

 private:
  std::vector<bpf_insn> instructions_;
  bpf_program view_ = {};
  bool loops_;
};

/// Compiles `text` with libpcap for a LINKTYPE_, optimized, in this process and this thread. The
/// Error's `what` is libpcap's words. Names of hosts are looked up, for as long as that takes,
/// unless ForbidNameLookup() was called.
Result<std::vector<bpf_insn>> CompileProgram(const std::string& text, std::uint32_t link_type);

/// Whether the program reads what only a live capture knows: direction, interface, stripped tags.
bool ReadsLiveOnly(const std::vector<bpf_insn>& instructions);

/// From now on no name of a host is looked up in this process, not even in /etc/hosts, by anybody:
/// for programs that never need a network. Names of ports, protocols and networks stay those of
/// the local files. There is no way back.
void ForbidNameLookup();

}  // namespace cloudflaredump::filter
