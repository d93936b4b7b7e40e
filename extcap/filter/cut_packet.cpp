// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/cut_packet.h"

#include "extcap/filter/walk.h"

namespace cloudflaredump::filter {
namespace {

/// A loop (protochain) over bytes that are missing would not end by itself.
constexpr std::uint64_t kBudget = std::uint64_t{1} << 16;

/// Tells a walk what the loads from one packet give.
class CutPacket {
 public:
  CutPacket(std::span<const std::byte> captured, std::uint32_t original_length)
      : captured_(captured), length_(original_length) {}

  LoadEnd Load(const bpf_insn& instruction, Registers& registers, Facts& facts) const {
    if (IsLoadOfLength(instruction)) {
      registers.a = Symbol::Constant(length_);
      return LoadEnd::kLoaded;
    }
    const auto at = OffsetOf(instruction, registers);
    if (!at) return LoadEnd::kNotKnown;
    const std::uint64_t end = *at + SizeOf(instruction);
    if (end > length_) return LoadEnd::kRejects;
    if (end <= captured_.size()) {
      (BPF_CLASS(instruction.code) == BPF_LD ? registers.a : registers.x) =
          Symbol::Constant(Number(instruction, *at, end));
      return LoadEnd::kLoaded;
    }
    // The bytes of a word that are there may settle what is asked of all of it.
    for (std::uint64_t i = *at; i < captured_.size(); ++i) {
      facts.AddEqual({false, static_cast<std::uint32_t>(i), 1}, Byte(i));
    }
    return LoadEnd::kThere;
  }

 private:
  std::uint32_t Byte(std::uint64_t at) const {
    return std::to_integer<std::uint32_t>(captured_[at]);
  }

  std::uint32_t Number(const bpf_insn& instruction, std::uint64_t at, std::uint64_t end) const {
    if (BPF_MODE(instruction.code) == BPF_MSH) return (Byte(at) & 0xf) << 2;
    std::uint32_t number = 0;
    for (; at < end; ++at) number = number << 8 | Byte(at);
    return number;
  }

  std::span<const std::byte> captured_;
  std::uint32_t length_;
};

}  // namespace

FilterAnswer RunOnCutPacket(const std::vector<bpf_insn>& program,
                            std::span<const std::byte> captured, std::uint32_t original_length) {
  const CutPacket packet(captured, original_length);
  bool matched = false;
  bool rejected = false;
  const auto note = [&](bool& answer) {
    answer = true;
    return !(matched && rejected);
  };
  const WalkEnd end =
      Walk(program, {}, {},
           {.accepts = [&](const Facts&) { return note(matched); },
            .rejects = [&](const Facts&) { return note(rejected); },
            .load = [&](const bpf_insn& instruction, Registers& registers,
                        Facts& facts) { return packet.Load(instruction, registers, facts); },
            .budget = kBudget});
  if (end != WalkEnd::kWhole) return FilterAnswer::kUndecided;
  return matched ? FilterAnswer::kMatches : FilterAnswer::kRejects;
}

}  // namespace cloudflaredump::filter
