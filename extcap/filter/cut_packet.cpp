// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/cut_packet.h"

#include <array>

#include "extcap/filter/alu.h"

namespace cloudflaredump::filter {
namespace {

/// A 32-bit number some of whose bits are not known; those are 0 in `value`.
struct Bits {
  std::uint32_t value = 0;
  std::uint32_t unknown = 0;

  bool known() const { return unknown == 0; }
  std::uint32_t least() const { return value; }
  std::uint32_t most() const { return value | unknown; }
};

constexpr Bits kAnything{0, 0xffffffff};

/// One way through the program.
struct Way {
  std::size_t pc = 0;
  Bits a;
  Bits x;
  std::array<Bits, BPF_MEMWORDS> memory = {};
};

enum class Truth : std::uint8_t { kFalse, kTrue, kEither };

Truth Equal(Bits a, Bits b) {
  const std::uint32_t both = ~(a.unknown | b.unknown);
  if (((a.value ^ b.value) & both) != 0) return Truth::kFalse;
  return a.known() && b.known() ? Truth::kTrue : Truth::kEither;
}

Truth AtLeast(Bits a, Bits b) {
  if (a.least() >= b.most()) return Truth::kTrue;
  return a.most() < b.least() ? Truth::kFalse : Truth::kEither;
}

Truth Above(Bits a, Bits b) {
  if (a.least() > b.most()) return Truth::kTrue;
  return a.most() <= b.least() ? Truth::kFalse : Truth::kEither;
}

Truth SharesABit(Bits a, Bits b) {
  if ((a.value & b.value) != 0) return Truth::kTrue;
  return (a.most() & b.most()) == 0 ? Truth::kFalse : Truth::kEither;
}

Bits Shift(Bits a, Bits by, bool left) {
  if (!by.known()) return kAnything;
  if (by.value >= 32) return {};
  if (left) return {a.value << by.value, a.unknown << by.value};
  return {a.value >> by.value, a.unknown >> by.value};
}

Bits And(Bits a, Bits b) {
  return {a.value & b.value, (a.most() & b.most()) & ~(a.value & b.value)};
}

Bits Or(Bits a, Bits b) {
  const std::uint32_t value = a.value | b.value;
  return {value, (a.unknown | b.unknown) & ~value};
}

Bits Xor(Bits a, Bits b) {
  const std::uint32_t unknown = a.unknown | b.unknown;
  return {(a.value ^ b.value) & ~unknown, unknown};
}

class Run {
 public:
  Run(const std::vector<bpf_insn>& program, std::span<const std::byte> captured,
      std::uint32_t original_length)
      : program_(program), captured_(captured), length_(original_length) {}

  FilterAnswer Answer() {
    open_.emplace_back();
    while (!open_.empty() && !Both()) {
      Way way = open_.back();
      open_.pop_back();
      while (!Both() && Step(way)) continue;
    }
    if (Both()) return FilterAnswer::kUndecided;
    return matched_ ? FilterAnswer::kMatches : FilterAnswer::kRejects;
  }

 private:
  bool Both() const { return matched_ && rejected_; }

  bool End(bool accepts) {
    (accepts ? matched_ : rejected_) = true;
    return false;
  }

  bool EndBoth() {
    matched_ = rejected_ = true;
    return false;
  }

  /// One instruction; false at the end of the way.
  bool Step(Way& way) {
    if (++steps_ > kMostSteps) return EndBoth();
    if (way.pc >= program_.size()) return End(false);
    const bpf_insn& instruction = program_[way.pc++];
    switch (BPF_CLASS(instruction.code)) {
      case BPF_RET:
        return Return(instruction, way);
      case BPF_LD:
        return Load(instruction, way, way.a);
      case BPF_LDX:
        return Load(instruction, way, way.x);
      case BPF_ST:
      case BPF_STX:
        if (instruction.k >= BPF_MEMWORDS) return End(false);
        way.memory[instruction.k] = BPF_CLASS(instruction.code) == BPF_ST ? way.a : way.x;
        return true;
      case BPF_ALU:
        return Alu(instruction, way);
      case BPF_JMP:
        Jump(instruction, way);
        return true;
      default:
        (BPF_MISCOP(instruction.code) == BPF_TAX ? way.x : way.a) =
            BPF_MISCOP(instruction.code) == BPF_TAX ? way.a : way.x;
        return true;
    }
  }

  bool Return(const bpf_insn& instruction, const Way& way) {
    if (BPF_RVAL(instruction.code) == BPF_K) return End(instruction.k != 0);
    if (way.a.value != 0) return End(true);
    return way.a.known() ? End(false) : EndBoth();
  }

  bool Load(const bpf_insn& instruction, Way& way, Bits& to) {
    switch (BPF_MODE(instruction.code)) {
      case BPF_IMM:
        to = {instruction.k, 0};
        return true;
      case BPF_LEN:
        to = {length_, 0};
        return true;
      case BPF_MEM:
        if (instruction.k >= BPF_MEMWORDS) return End(false);
        to = way.memory[instruction.k];
        return true;
      case BPF_ABS:
        return Fetch(instruction.k, SizeOf(instruction), to);
      case BPF_IND:
        if (way.x.known()) {
          return Fetch(std::uint64_t{instruction.k} + way.x.value, SizeOf(instruction), to);
        }
        // Somewhere in the packet, or beyond its end.
        rejected_ = true;
        to = {0, SizeOf(instruction) == 4 ? 0xffffffff : (1U << 8 * SizeOf(instruction)) - 1};
        return true;
      case BPF_MSH:
        if (!Fetch(instruction.k, 1, to)) return false;
        to = Shift(And(to, {0xf, 0}), {2, 0}, true);
        return true;
      default:
        return End(false);
    }
  }

  static unsigned SizeOf(const bpf_insn& instruction) {
    switch (BPF_SIZE(instruction.code)) {
      case BPF_W:
        return 4;
      case BPF_H:
        return 2;
      default:
        return 1;
    }
  }

  /// A big-endian number from the packet; the end of the way if it has no such bytes.
  bool Fetch(std::uint64_t at, unsigned size, Bits& to) {
    if (at + size > length_) return End(false);
    to = {};
    for (std::uint64_t i = at; i < at + size; ++i) {
      const bool have = i < captured_.size();
      to.value = to.value << 8 | (have ? std::to_integer<std::uint32_t>(captured_[i]) : 0U);
      to.unknown = to.unknown << 8 | (have ? 0U : 0xffU);
    }
    return true;
  }

  bool Alu(const bpf_insn& instruction, Way& way) {
    const unsigned operation = BPF_OP(instruction.code);
    const Bits other = BPF_SRC(instruction.code) == BPF_X ? way.x : Bits{instruction.k, 0};
    switch (operation) {
      case BPF_AND:
        way.a = And(way.a, other);
        return true;
      case BPF_OR:
        way.a = Or(way.a, other);
        return true;
      case BPF_XOR:
        way.a = Xor(way.a, other);
        return true;
      case BPF_LSH:
      case BPF_RSH:
        way.a = Shift(way.a, other, operation == BPF_LSH);
        return true;
      case BPF_NEG:
        way.a = way.a.known() ? Bits{0U - way.a.value, 0} : kAnything;
        return true;
      case BPF_DIV:
      case BPF_MOD:
        if (other.most() == 0) return End(false);
        if (other.least() == 0) rejected_ = true;
        break;
      default:
        break;
    }
    way.a = way.a.known() && other.known() ? Bits{Calculate(operation, way.a.value, other.value), 0}
                                           : kAnything;
    return true;
  }

  /// Where a test can go either way, `way` goes on with its true side.
  void Jump(const bpf_insn& instruction, Way& way) {
    if (BPF_OP(instruction.code) == BPF_JA) {
      // libpcap's loops (protochain) jump backwards: the distance is signed.
      way.pc += static_cast<std::size_t>(static_cast<std::int32_t>(instruction.k));
      return;
    }
    const Bits other = BPF_SRC(instruction.code) == BPF_X ? way.x : Bits{instruction.k, 0};
    const Truth truth = Compare(BPF_OP(instruction.code), way.a, other);
    if (truth == Truth::kEither && instruction.jt != instruction.jf) {
      open_.push_back(way);
      open_.back().pc += instruction.jf;
    }
    way.pc += truth == Truth::kFalse ? instruction.jf : instruction.jt;
  }

  static Truth Compare(unsigned operation, Bits a, Bits b) {
    switch (operation) {
      case BPF_JEQ:
        return Equal(a, b);
      case BPF_JGT:
        return Above(a, b);
      case BPF_JGE:
        return AtLeast(a, b);
      default:
        return SharesABit(a, b);
    }
  }

  static constexpr unsigned kMostSteps = 1U << 16;

  const std::vector<bpf_insn>& program_;
  std::span<const std::byte> captured_;
  std::uint32_t length_;
  unsigned steps_ = 0;
  bool matched_ = false;
  bool rejected_ = false;
  std::vector<Way> open_;  ///< Ways not yet followed.
};

}  // namespace

FilterAnswer RunOnCutPacket(const std::vector<bpf_insn>& program,
                            std::span<const std::byte> captured, std::uint32_t original_length) {
  return Run(program, captured, original_length).Answer();
}

}  // namespace cloudflaredump::filter
