// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <array>
#include <cstdint>
#include <optional>

#include "extcap/filter/facts.h"

namespace cloudflaredump::filter {

/// What a register of a filter program holds, as far as it is understood.
struct Symbol {
  enum class Kind : std::uint8_t {
    kUnknown,
    kConstant,  ///< `number`.
    kPacket,    ///< The window's number & `mask`, shifted by `right` (to the left if negative).
  };
  Kind kind = Kind::kUnknown;
  std::uint32_t number = 0;
  Window window;
  std::uint32_t mask = 0;
  int right = 0;

  static Symbol Constant(std::uint32_t number);
  static Symbol Packet(const Window& window);
  bool constant() const { return kind == Kind::kConstant; }
  /// Whether this is the length of the IPv4 header: 4 * (first byte & 15).
  bool IsHeaderLength() const;
  bool operator==(const Symbol&) const = default;
};

/// The machine's state between two instructions.
struct Registers {
  Symbol a = Symbol::Constant(0);
  Symbol x = Symbol::Constant(0);
  std::array<Symbol, BPF_MEMWORDS> memory = {};
};

/// How many bytes a load reads.
std::uint32_t SizeOf(const bpf_insn& instruction);

/// Where the bytes begin that a load reads from the packet; nothing if that is not a constant, or
/// if it is no load from the packet.
std::optional<std::uint64_t> OffsetOf(const bpf_insn& instruction, const Registers& registers);

/// Whether the instruction loads the packet's length.
bool IsLoadOfLength(const bpf_insn& instruction);

/// The window that a load instruction reads; nothing if it is not known where, or is no load from
/// the packet.
std::optional<Window> WindowOf(const bpf_insn& instruction, const Registers& registers);

/// Whether the instruction reads the packet.
bool ReadsPacket(const bpf_insn& instruction);

/// Carries out any instruction but jumps and returns.
void Execute(const bpf_insn& instruction, Registers& registers);

/// What a conditional jump tells about the packets that take either side. A side without a fact is
/// either not possible at all or teaches nothing.
struct Branch {
  struct Side {
    bool possible = true;
    std::optional<Fact> fact;
  };
  Side when_true;
  Side when_false;
};

/// What the conditional jump `instruction` tells where the registers hold these symbols.
Branch Decide(const bpf_insn& instruction, const Registers& registers);

}  // namespace cloudflaredump::filter
