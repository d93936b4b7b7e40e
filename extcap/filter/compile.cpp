// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/text.h"
#include "extcap/filter/link_type.h"
#include "extcap/filter/walk.h"
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

/// The words of scratch memory that a path through the program may read before it has written them,
/// as a set of bits. Where a jump goes back to, no less was written on the way than at first.
std::uint32_t ScratchReadUnset(const std::vector<bpf_insn>& program) {
  std::uint32_t unset = 0;
  std::vector<std::uint32_t> written(program.size() + 1, ~0U);
  written[0] = 0;
  const auto go = [&](std::size_t to, std::uint32_t with) {
    if (to < written.size()) written[to] &= with;
  };
  for (std::size_t i = 0; i < program.size(); ++i) {
    const bpf_insn& at = program[i];
    const auto kind = BPF_CLASS(at.code);
    const std::uint32_t word = 1U << (at.k % BPF_MEMWORDS);
    const bool loads = (kind == BPF_LD || kind == BPF_LDX) && BPF_MODE(at.code) == BPF_MEM;
    if (loads) unset |= word & ~written[i];
    if (kind == BPF_ST || kind == BPF_STX) written[i] |= word;
    if (kind == BPF_RET) continue;
    if (kind == BPF_JMP && BPF_OP(at.code) == BPF_JA) {
      go(i + 1 + at.k, written[i]);
    } else if (kind == BPF_JMP) {
      go(i + 1 + at.jt, written[i]);
      go(i + 1 + at.jf, written[i]);
    } else {
      go(i + 1, written[i]);
    }
  }
  return unset;
}

/// The program with zeros in the scratch memory that it may read unset, as libpcap's own does for
/// `not geneve`: libpcap's interpreter begins with whatever the stack holds there.
std::vector<bpf_insn> WithScratchZeroed(std::vector<bpf_insn> program) {
  const std::uint32_t unset = ScratchReadUnset(program);
  if (unset == 0) return program;
  std::vector<bpf_insn> start = {BPF_STMT(BPF_LD | BPF_IMM, 0)};
  for (unsigned word = 0; word < BPF_MEMWORDS; ++word) {
    if ((unset >> word & 1) != 0) start.push_back(BPF_STMT(BPF_ST, word));
  }
  program.insert(program.begin(), start.begin(), start.end());
  return program;
}

}  // namespace

FilterProgram::FilterProgram(std::vector<bpf_insn> instructions)
    : instructions_(std::move(instructions)), loops_(HasLoops(instructions_)) {
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
  return WithScratchZeroed(std::move(instructions));
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
