// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/walk.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace cloudflaredump::filter {
namespace {

bool IsReturn(const bpf_insn& instruction) {
  return BPF_CLASS(instruction.code) == BPF_RET;
}
bool IsJump(const bpf_insn& instruction) {
  return BPF_CLASS(instruction.code) == BPF_JMP;
}
bool IsAlways(const bpf_insn& jump) {
  return BPF_OP(jump.code) == BPF_JA;
}

/// Whether a return may accept, and whether it may reject.
std::pair<bool, bool> Verdicts(const bpf_insn& instruction, const Registers& registers) {
  if (BPF_RVAL(instruction.code) == BPF_K) return {instruction.k != 0, instruction.k == 0};
  if (registers.a.constant()) return {registers.a.number != 0, registers.a.number == 0};
  return {true, true};
}

/// Whether the instruction divides by a number that is, or may be, zero.
bool Divides(const bpf_insn& instruction) {
  if (BPF_CLASS(instruction.code) != BPF_ALU || BPF_SRC(instruction.code) != BPF_X) return false;
  return BPF_OP(instruction.code) == BPF_DIV || BPF_OP(instruction.code) == BPF_MOD;
}

/// Where an unconditional jump leads; its distance is signed, for loops.
std::size_t TargetOf(const bpf_insn& jump, std::size_t pc) {
  return pc + 1 + static_cast<std::size_t>(static_cast<std::int32_t>(jump.k));
}

class Walker {
 public:
  Walker(std::span<const bpf_insn> program, const Facts& start, const SurelyThere& there,
         const WalkVisitor& visitor)
      : program_(program), facts_(start), there_(there), visitor_(visitor) {}

  WalkEnd Run() {
    Follow(0, {});
    while (!open_.empty() && end_ == WalkEnd::kWhole) {
      Fork fork = open_.back();
      open_.pop_back();
      facts_.Truncate(fork.facts);
      if (!fork.fact || facts_.Add(*fork.fact)) Follow(fork.pc, fork.registers);
    }
    return end_;
  }

 private:
  /// The false side of a test that has not been followed yet. Forks are taken up in the reverse
  /// order, so the facts up to it are still those at the front of facts_.
  struct Fork {
    std::size_t pc = 0;
    Registers registers;
    std::size_t facts = 0;
    std::optional<Fact> fact;
  };

  void Follow(std::size_t pc, Registers registers) {
    while (end_ == WalkEnd::kWhole && pc < program_.size()) {
      if (++visits_ + facts_.work() > visitor_.budget) {
        end_ = WalkEnd::kOverBudget;
        return;
      }
      const bpf_insn& instruction = program_[pc];
      if (IsReturn(instruction)) {
        Report(Verdicts(instruction, registers));
        return;
      }
      if (IsJump(instruction)) {
        const auto next = Jump(pc, instruction, registers);
        if (!next) return;
        pc = *next;
        continue;
      }
      const LoadEnd end = Prepare(instruction, registers);
      if (end == LoadEnd::kNotKnown || end == LoadEnd::kRejects) Report({false, true});
      if (end == LoadEnd::kRejects) return;
      if (end != LoadEnd::kLoaded) Execute(instruction, registers);
      ++pc;
    }
  }

  void Report(std::pair<bool, bool> verdicts) {
    const auto [accepts, rejects] = verdicts;
    if (accepts && visitor_.accepts && !visitor_.accepts(facts_)) end_ = WalkEnd::kStopped;
    if (rejects && visitor_.rejects && !visitor_.rejects(facts_)) end_ = WalkEnd::kStopped;
  }

  /// What is to become of an instruction that may end the program by itself.
  LoadEnd Prepare(const bpf_insn& instruction, Registers& registers) {
    if (Divides(instruction)) {
      if (!registers.x.constant()) return LoadEnd::kNotKnown;
      return registers.x.number == 0 ? LoadEnd::kRejects : LoadEnd::kThere;
    }
    const LoadEnd asked =
        visitor_.load ? visitor_.load(instruction, registers, facts_) : LoadEnd::kNotKnown;
    if (asked != LoadEnd::kNotKnown) return asked;
    if (!ReadsPacket(instruction)) return LoadEnd::kThere;
    const auto window = WindowOf(instruction, registers);
    if (!window) return LoadEnd::kNotKnown;
    const std::uint32_t have = window->behind_header ? there_.behind_header : there_.from_start;
    return window->offset + window->size > have ? LoadEnd::kNotKnown : LoadEnd::kThere;
  }

  /// Where the path goes on; nothing if no packet takes it. A possible other side is kept.
  std::optional<std::size_t> Jump(std::size_t pc, const bpf_insn& jump,
                                  const Registers& registers) {
    if (IsAlways(jump)) return TargetOf(jump, pc);
    const std::size_t true_pc = pc + 1 + jump.jt;
    const std::size_t false_pc = pc + 1 + jump.jf;
    if (true_pc == false_pc) return true_pc;
    const Branch branch = Decide(jump, registers);
    const auto possible = [](const Branch::Side& side) { return side.possible; };
    if (possible(branch.when_true) && possible(branch.when_false)) {
      open_.push_back({false_pc, registers, facts_.size(), branch.when_false.fact});
    }
    const bool truth = branch.when_true.possible;
    const Branch::Side& side = truth ? branch.when_true : branch.when_false;
    if (side.fact && !facts_.Add(*side.fact)) return std::nullopt;
    return truth ? true_pc : false_pc;
  }

  std::span<const bpf_insn> program_;
  Facts facts_;
  SurelyThere there_;
  const WalkVisitor& visitor_;
  std::vector<Fork> open_;
  std::uint64_t visits_ = 0;
  WalkEnd end_ = WalkEnd::kWhole;
};

/// More of them are forgotten, too: each jump compares all with all.
constexpr std::size_t kMostRanges = 64;

using Key = std::tuple<bool, std::uint32_t, std::uint32_t, std::uint32_t>;

/// What is known where several paths meet: one range for each masked window. What a number is not
/// is forgotten, for such facts grow with the program.
struct Meeting {
  Registers registers;
  std::map<Key, Fact> ranges;
};

Key KeyOf(const Fact& fact) {
  return {fact.window.behind_header, fact.window.offset, fact.window.size, fact.mask};
}

void Narrow(std::map<Key, Fact>& ranges, const Fact& fact) {
  if (fact.excluded) return;
  if (ranges.size() >= kMostRanges && !ranges.contains(KeyOf(fact))) return;
  const auto [at, added] = ranges.emplace(KeyOf(fact), fact);
  if (added) return;
  at->second.least = std::max(at->second.least, fact.least);
  at->second.most = std::min(at->second.most, fact.most);
}

void JoinRegisters(Registers& into, const Registers& other) {
  if (into.a != other.a) into.a = {};
  if (into.x != other.x) into.x = {};
  for (std::size_t i = 0; i < into.memory.size(); ++i) {
    if (into.memory[i] != other.memory[i]) into.memory[i] = {};
  }
}

void Join(std::optional<Meeting>& into, const Meeting& other) {
  if (!into) {
    into = other;
    return;
  }
  JoinRegisters(into->registers, other.registers);
  for (auto range = into->ranges.begin(); range != into->ranges.end();) {
    const auto other_range = other.ranges.find(range->first);
    if (other_range == other.ranges.end()) {
      range = into->ranges.erase(range);
      continue;
    }
    range->second.least = std::min(range->second.least, other_range->second.least);
    range->second.most = std::max(range->second.most, other_range->second.most);
    ++range;
  }
}

/// The ranges as facts; nothing if they contradict each other.
std::optional<Facts> FactsOf(const Meeting& meeting) {
  Facts facts;
  for (const auto& [key, fact] : meeting.ranges) {
    if (fact.least > fact.most || !facts.Add(fact)) return std::nullopt;
  }
  return facts;
}

void JoinSide(std::vector<std::optional<Meeting>>& meetings, std::size_t pc, const Meeting& from,
              const Branch::Side& side) {
  if (!side.possible || pc >= meetings.size()) return;
  if (!side.fact) {
    Join(meetings[pc], from);
    return;
  }
  auto known = FactsOf(from);
  if (!known || !known->Add(*side.fact)) return;
  Meeting meeting = from;
  Narrow(meeting.ranges, *side.fact);
  Join(meetings[pc], meeting);
}

}  // namespace

bool HasLoops(std::span<const bpf_insn> program) {
  return std::ranges::any_of(program, [](const bpf_insn& instruction) {
    // Only JA has a distance that can be negative.
    return IsJump(instruction) && IsAlways(instruction) && (instruction.k & 0x80000000) != 0;
  });
}

WalkEnd Walk(std::span<const bpf_insn> program, const Facts& start, const SurelyThere& there,
             const WalkVisitor& visitor) {
  return Walker(program, start, there, visitor).Run();
}

std::optional<Facts> JoinPaths(std::span<const bpf_insn> program, const Facts& start) {
  std::vector<std::optional<Meeting>> meetings(program.size());
  std::optional<Meeting> accepted;
  meetings.front().emplace();
  for (const Fact& fact : start.list()) Narrow(meetings.front()->ranges, fact);
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    if (!meetings[pc]) continue;
    Meeting meeting = std::move(*meetings[pc]);
    meetings[pc].reset();
    const bpf_insn& instruction = program[pc];
    if (IsReturn(instruction)) {
      if (Verdicts(instruction, meeting.registers).first) Join(accepted, meeting);
    } else if (!IsJump(instruction)) {
      Execute(instruction, meeting.registers);
      JoinSide(meetings, pc + 1, meeting, {});
    } else if (IsAlways(instruction)) {
      JoinSide(meetings, pc + 1 + instruction.k, meeting, {});
    } else {
      const Branch branch = Decide(instruction, meeting.registers);
      JoinSide(meetings, pc + 1 + instruction.jt, meeting, branch.when_true);
      JoinSide(meetings, pc + 1 + instruction.jf, meeting, branch.when_false);
    }
  }
  return accepted ? FactsOf(*accepted) : std::nullopt;
}

}  // namespace cloudflaredump::filter
