// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/text.h"
#include "extcap/filter/link_type.h"
#include "extcap/system/name_lookup.h"

namespace cloudflaredump::filter {
namespace {

constexpr int kSnapLength = 262144;

/// As `tcpdump -r` and Wireshark's own check do: `ip broadcast` is 255.255.255.255 and 0.0.0.0.
constexpr bpf_u_int32 kNoNetmask = 0;

struct CloseHandle {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};

/// pcap_open_dead wants a DLT_, which differs from the LINKTYPE_ of the file for raw IP.
int DltOf(std::uint32_t link_type) {
  return link_type == kLinkTypeRaw ? DLT_RAW : static_cast<int>(link_type);
}

}  // namespace

FilterProgram::FilterProgram(std::vector<bpf_insn> instructions)
    : instructions_(std::move(instructions)) {
  view_.bf_len = static_cast<u_int>(instructions_.size());
  view_.bf_insns = instructions_.data();
}

Result<std::vector<bpf_insn>> CompileProgram(const std::string& text, std::uint32_t link_type) {
  const std::unique_ptr<pcap_t, CloseHandle> handle(pcap_open_dead(DltOf(link_type), kSnapLength));
  if (!handle) return Fail("there is not enough memory to compile the filter");
  bpf_program program = {};
  if (pcap_compile(handle.get(), &program, text.c_str(), 1, kNoNetmask) != 0) {
    return Fail(CleanLine(pcap_geterr(handle.get())), Error::Kind::kUsage);
  }
  std::vector<bpf_insn> instructions(program.bf_insns, program.bf_insns + program.bf_len);
  pcap_freecode(&program);
  return instructions;
}

bool ReadsLiveOnly(const std::vector<bpf_insn>& instructions) {
  constexpr bpf_u_int32 kAncillary = 0xfffff000;  // SKF_AD_OFF
  return std::ranges::any_of(instructions, [](const bpf_insn& instruction) {
    return BPF_CLASS(instruction.code) == BPF_LD && BPF_MODE(instruction.code) == BPF_ABS &&
           instruction.k >= kAncillary;
  });
}

void ForbidNameLookup() {
  system::ForbidNameLookup();
}

}  // namespace cloudflaredump::filter
