// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/symbol.h"

#include <bit>

namespace cloudflaredump::filter {
namespace {

/// Offsets beyond this are not kept apart: no IP packet is as long, and sums stay small.
constexpr std::uint64_t kFarthest = 0xffff;

/// What an arithmetic instruction gives for two known numbers. A program that divides by zero has
/// ended before.
std::uint32_t Calculate(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return b == 0 ? 0 : a / b;
    case BPF_MOD:
      return b == 0 ? 0 : a % b;
    case BPF_AND:
      return a & b;
    case BPF_OR:
      return a | b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return b < 32 ? a << b : 0;
    case BPF_RSH:
      return b < 32 ? a >> b : 0;
    default:
      return 0;
  }
}

/// A mask of no bits makes the number 0, wherever it came from.
Symbol Masked(Symbol symbol, std::uint32_t mask) {
  symbol.mask &= mask;
  return symbol.mask == 0 ? Symbol::Constant(0) : symbol;
}

/// `by` bits to the left of where the window has it; bits pushed out of the register are lost.
std::uint32_t Unshift(std::uint32_t number, int right) {
  if (right >= 32 || right <= -32) return 0;
  return right >= 0 ? number << right : number >> -right;
}

Symbol ShiftRight(const Symbol& symbol, std::uint32_t by) {
  if (by >= 32) return Symbol::Constant(0);
  Symbol shifted = symbol;
  shifted.right += static_cast<int>(by);
  // What falls off the low end does not come back with a later shift to the left.
  return Masked(shifted, Unshift(0xffffffff, shifted.right));
}

Symbol ShiftLeft(const Symbol& symbol, std::uint32_t by) {
  if (by >= 32) return Symbol::Constant(0);
  Symbol shifted = symbol;
  shifted.right -= static_cast<int>(by);
  return Masked(shifted, Unshift(0xffffffff, shifted.right));
}

/// A number from the packet with a constant: bits taken out and moved are still known to be the
/// packet's, anything else is not.
Symbol WithConstant(unsigned operation, const Symbol& a, std::uint32_t number) {
  const auto power = static_cast<std::uint32_t>(std::countr_zero(number));
  switch (operation) {
    case BPF_AND:
      return Masked(a, Unshift(number, a.right));
    case BPF_LSH:
      return ShiftLeft(a, number);
    case BPF_RSH:
      return ShiftRight(a, number);
    case BPF_MUL:
      return std::has_single_bit(number) ? ShiftLeft(a, power) : Symbol{};
    case BPF_DIV:
      return std::has_single_bit(number) ? ShiftRight(a, power) : Symbol{};
    case BPF_ADD:
    case BPF_SUB:
    case BPF_OR:
    case BPF_XOR:
      return number == 0 ? a : Symbol{};
    default:
      return {};
  }
}

Symbol Alu(const bpf_insn& instruction, const Registers& registers) {
  const unsigned operation = BPF_OP(instruction.code);
  const Symbol& a = registers.a;
  if (operation == BPF_NEG) return a.constant() ? Symbol::Constant(0U - a.number) : Symbol{};
  const Symbol b =
      BPF_SRC(instruction.code) == BPF_X ? registers.x : Symbol::Constant(instruction.k);
  if (!b.constant()) return {};
  if (a.constant()) return Symbol::Constant(Calculate(operation, a.number, b.number));
  return a.kind == Symbol::Kind::kPacket ? WithConstant(operation, a, b.number) : Symbol{};
}

Symbol Loaded(const bpf_insn& instruction, const Registers& registers) {
  switch (BPF_MODE(instruction.code)) {
    case BPF_IMM:
      return Symbol::Constant(instruction.k);
    case BPF_MEM:
      return instruction.k < BPF_MEMWORDS ? registers.memory[instruction.k] : Symbol{};
    case BPF_ABS:
    case BPF_IND:
    case BPF_MSH: {
      const auto window = WindowOf(instruction, registers);
      if (!window) return {};
      const Symbol symbol = Symbol::Packet(*window);
      if (BPF_MODE(instruction.code) != BPF_MSH) return symbol;
      return ShiftLeft(Masked(symbol, 0xf), 2);
    }
    default:
      return {};  // The packet's length: nothing that a request could say.
  }
}

Fact In(const Symbol& a, std::uint32_t mask, std::uint32_t least, std::uint32_t most) {
  return {.window = a.window, .mask = mask, .least = least, .most = most};
}

Fact Not(const Symbol& a, std::uint32_t mask, std::uint32_t number) {
  return {.window = a.window, .mask = mask, .least = number, .most = number, .excluded = true};
}

Branch Only(bool truth) {
  return {.when_true = {truth, {}}, .when_false = {!truth, {}}};
}

/// Whether the masked number, where the window has it, is at least `bound`.
Branch AtLeast(const Symbol& a, std::uint64_t bound) {
  if (bound == 0) return Only(true);
  if (bound > a.mask) return Only(false);
  const auto least = static_cast<std::uint32_t>(bound);
  return {.when_true = {true, In(a, a.mask, least, a.mask)},
          .when_false = {true, In(a, a.mask, 0, least - 1)}};
}

/// The least number in the window that becomes `number` or more in the register.
std::uint64_t BoundFor(const Symbol& a, std::uint64_t number) {
  if (a.right >= 0) return number << a.right;
  const int left = -a.right;
  return (number + (std::uint64_t{1} << left) - 1) >> left;
}

Branch Equal(const Symbol& a, std::uint32_t number) {
  const std::uint32_t there = Unshift(number, a.right);
  if (Unshift(there, -a.right) != number || (there & ~a.mask) != 0) return Only(false);
  return {.when_true = {true, In(a, a.mask, there, there)},
          .when_false = {true, Not(a, a.mask, there)}};
}

Branch SharesABit(const Symbol& a, std::uint32_t number) {
  const std::uint32_t mask = a.mask & Unshift(number, a.right);
  if (mask == 0) return Only(false);
  return {.when_true = {true, Not(a, mask, 0)}, .when_false = {true, In(a, mask, 0, 0)}};
}

bool Compare(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_JEQ:
      return a == b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    default:
      return (a & b) != 0;
  }
}

}  // namespace

Symbol Symbol::Constant(std::uint32_t number) {
  return {.kind = Kind::kConstant, .number = number, .window = {}, .mask = 0, .right = 0};
}

Symbol Symbol::Packet(const Window& window) {
  return {
      .kind = Kind::kPacket, .number = 0, .window = window, .mask = FullMask(window), .right = 0};
}

bool Symbol::IsHeaderLength() const {
  return kind == Kind::kPacket && window == Window{} && mask == 0xf && right == -2;
}

bool ReadsPacket(const bpf_insn& instruction) {
  const unsigned kind = BPF_CLASS(instruction.code);
  if (kind != BPF_LD && kind != BPF_LDX) return false;
  const unsigned mode = BPF_MODE(instruction.code);
  return mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH;
}

std::uint32_t SizeOf(const bpf_insn& instruction) {
  switch (BPF_SIZE(instruction.code)) {
    case BPF_W:
      return 4;
    case BPF_H:
      return 2;
    default:
      return 1;
  }
}

std::optional<std::uint64_t> OffsetOf(const bpf_insn& instruction, const Registers& registers) {
  if (!ReadsPacket(instruction)) return std::nullopt;
  if (BPF_MODE(instruction.code) != BPF_IND) return instruction.k;
  if (!registers.x.constant()) return std::nullopt;
  return std::uint64_t{instruction.k} + registers.x.number;
}

bool IsLoadOfLength(const bpf_insn& instruction) {
  return BPF_CLASS(instruction.code) == BPF_LD && BPF_MODE(instruction.code) == BPF_LEN;
}

std::optional<Window> WindowOf(const bpf_insn& instruction, const Registers& registers) {
  if (!ReadsPacket(instruction)) return std::nullopt;
  const bool behind_header = BPF_MODE(instruction.code) == BPF_IND && registers.x.IsHeaderLength();
  const auto offset = behind_header ? instruction.k : OffsetOf(instruction, registers);
  if (!offset || *offset > kFarthest) return std::nullopt;
  return Window{behind_header, static_cast<std::uint32_t>(*offset), SizeOf(instruction)};
}

void Execute(const bpf_insn& instruction, Registers& registers) {
  switch (BPF_CLASS(instruction.code)) {
    case BPF_LD:
      registers.a = Loaded(instruction, registers);
      return;
    case BPF_LDX:
      registers.x = Loaded(instruction, registers);
      return;
    case BPF_ST:
    case BPF_STX:
      if (instruction.k < BPF_MEMWORDS) {
        registers.memory[instruction.k] =
            BPF_CLASS(instruction.code) == BPF_ST ? registers.a : registers.x;
      }
      return;
    case BPF_ALU:
      registers.a = Alu(instruction, registers);
      return;
    case BPF_MISC:
      if (BPF_MISCOP(instruction.code) == BPF_TAX) {
        registers.x = registers.a;
      } else {
        registers.a = registers.x;
      }
      return;
    default:
      return;
  }
}

Branch Decide(const bpf_insn& instruction, const Registers& registers) {
  const Symbol& a = registers.a;
  const Symbol b =
      BPF_SRC(instruction.code) == BPF_X ? registers.x : Symbol::Constant(instruction.k);
  if (!b.constant()) return {};
  const unsigned operation = BPF_OP(instruction.code);
  if (a.constant()) return Only(Compare(operation, a.number, b.number));
  if (a.kind == Symbol::Kind::kUnknown) return {};
  switch (operation) {
    case BPF_JEQ:
      return Equal(a, b.number);
    case BPF_JGT:
      return AtLeast(a, BoundFor(a, std::uint64_t{b.number} + 1));
    case BPF_JGE:
      return AtLeast(a, BoundFor(a, b.number));
    default:
      return SharesABit(a, b.number);
  }
}

}  // namespace cloudflaredump::filter
