// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/walk.h"

#include <pcap/pcap.h>

#include <vector>

#include "extcap/filter/compile.h"
#include "extcap/filter/link_type.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

using Program = std::vector<bpf_insn>;

constexpr Window kProtocol{false, 9, 1};
constexpr Window kDestination{false, 16, 4};

bpf_insn Statement(unsigned code, std::uint32_t k) {
  return {static_cast<u_short>(code), 0, 0, k};
}

bpf_insn Jump(unsigned operation, std::uint32_t k, unsigned jt, unsigned jf) {
  return {static_cast<u_short>(BPF_JMP | operation | BPF_K), static_cast<u_char>(jt),
          static_cast<u_char>(jf), k};
}

const bpf_insn kAccept = Statement(BPF_RET | BPF_K, 1);
const bpf_insn kReject = Statement(BPF_RET | BPF_K, 0);

Program Compiled(const std::string& text) {
  auto program = CompileProgram(text, kLinkTypeRaw);
  if (!program) fail_msg("%s: %s", text.c_str(), SentenceOf(program.error()).c_str());
  return std::move(*program);
}

struct Paths {
  std::vector<Facts> accepting;
  std::vector<Facts> rejecting;
  WalkEnd end = WalkEnd::kWhole;
};

Paths PathsOf(const Program& program, const SurelyThere& there = {1500, 1500}) {
  Paths paths;
  const WalkVisitor visitor{.accepts =
                                [&](const Facts& facts) {
                                  paths.accepting.push_back(facts);
                                  return true;
                                },
                            .rejects =
                                [&](const Facts& facts) {
                                  paths.rejecting.push_back(facts);
                                  return true;
                                }};
  paths.end = Walk(program, {}, there, visitor);
  return paths;
}

/// The one value that the only accepting path forces `window` to have.
std::uint32_t Forced(const Program& program, const Window& window) {
  const Paths paths = PathsOf(program);
  assert_int_equal(paths.accepting.size(), 1);
  const auto values = paths.accepting.front().Values(window, 1);
  assert_true(values.has_value());
  assert_int_equal(values->size(), 1);
  return values->front();
}

void AssertNothingForced(const Program& program, const Window& window) {
  for (const Facts& facts : PathsOf(program).accepting) {
    assert_false(facts.Values(window, 16).has_value());
  }
}

void EveryPathIsFollowed(void**) {
  const Paths paths = PathsOf(Compiled("ip and (icmp or igmp)"));
  assert_int_equal(paths.end, WalkEnd::kWhole);
  assert_int_equal(paths.accepting.size(), 2);
  assert_int_equal(paths.rejecting.size(), 2);
}

void AVisitorStopsTheWalk(void**) {
  int seen = 0;
  const WalkVisitor visitor{.accepts =
                                [&](const Facts&) {
                                  ++seen;
                                  return false;
                                },
                            .rejects = {}};
  assert_int_equal(Walk(Compiled("icmp or igmp"), {}, {}, visitor), WalkEnd::kStopped);
  assert_int_equal(seen, 1);
}

void NumbersSurviveScratchMemoryAndTheIndexRegister(void**) {
  const Program program = {Statement(BPF_LD | BPF_B | BPF_ABS, 9),
                           Statement(BPF_ST, 3),
                           Statement(BPF_LD | BPF_IMM, 1),
                           Statement(BPF_LDX | BPF_W | BPF_MEM, 3),
                           Statement(BPF_MISC | BPF_TXA, 0),
                           Statement(BPF_MISC | BPF_TAX, 0),
                           Statement(BPF_STX, 4),
                           Statement(BPF_LD | BPF_W | BPF_MEM, 4),
                           Jump(BPF_JEQ, 17, 0, 1),
                           kAccept,
                           kReject};
  assert_int_equal(Forced(program, kProtocol), 17);
}

void ShiftsAndMasksAreTracedBack(void**) {
  const Program program = {Statement(BPF_LD | BPF_W | BPF_ABS, 8),
                           Statement(BPF_ALU | BPF_RSH | BPF_K, 16),
                           Statement(BPF_ALU | BPF_AND | BPF_K, 0xff),
                           Statement(BPF_ALU | BPF_LSH | BPF_K, 2),
                           Jump(BPF_JEQ, 17 << 2, 0, 1),
                           kAccept,
                           kReject};
  assert_int_equal(Forced(program, kProtocol), 17);
}

void BitsThatWereShiftedOutAreGone(void**) {
  // (x << 28) >> 28 = 5 says something of the low four bits only.
  const Program program = {Statement(BPF_LD | BPF_W | BPF_ABS, 16),
                           Statement(BPF_ALU | BPF_LSH | BPF_K, 28),
                           Statement(BPF_ALU | BPF_RSH | BPF_K, 28),
                           Jump(BPF_JEQ, 5, 0, 1),
                           kAccept,
                           kReject};
  const Paths paths = PathsOf(program);
  assert_int_equal(paths.accepting.size(), 1);
  assert_int_equal(paths.accepting.front().Known(kDestination).mask, 0xf);
  assert_int_equal(paths.accepting.front().Known(kDestination).value, 5);
}

void ComparisonsGoBothWays(void**) {
  const auto compare = [](unsigned operation, std::uint32_t k) {
    return Program{Statement(BPF_LD | BPF_B | BPF_ABS, 9), Jump(operation, k, 0, 1), kAccept,
                   kReject};
  };
  assert_int_equal(Forced(compare(BPF_JGT, 254), kProtocol), 255);
  assert_int_equal(Forced(compare(BPF_JGE, 255), kProtocol), 255);
  assert_true(PathsOf(compare(BPF_JGT, 255)).accepting.empty());
  assert_true(PathsOf(compare(BPF_JEQ, 256)).accepting.empty());
  assert_true(PathsOf(compare(BPF_JGE, 0)).rejecting.empty());
  assert_true(PathsOf(compare(BPF_JSET, 0x100)).accepting.empty());
}

void ATestOfBitsPinsThemWhereItFails(void**) {
  const Program program = {Statement(BPF_LD | BPF_B | BPF_ABS, 9), Jump(BPF_JSET, 0xfe, 1, 0),
                           Jump(BPF_JEQ, 0, 0, 1), kReject, kAccept};
  const Paths paths = PathsOf(program);
  // Either some of the upper bits is set, or none and then the number is 1.
  assert_int_equal(paths.accepting.size(), 1);
  const auto values = paths.accepting.front().Values(kProtocol, 1);
  assert_true(values == std::vector<std::uint32_t>{1});
}

void WhatIsNotUnderstoodIsNeverEqual(void**) {
  const bpf_insn unknown[] = {
      Statement(BPF_ALU | BPF_ADD | BPF_K, 1), Statement(BPF_ALU | BPF_OR | BPF_K, 1),
      Statement(BPF_ALU | BPF_XOR | BPF_K, 1), Statement(BPF_ALU | BPF_MUL | BPF_K, 3),
      Statement(BPF_ALU | BPF_MOD | BPF_K, 4), Statement(BPF_ALU | BPF_NEG, 0),
      Statement(BPF_LD | BPF_W | BPF_LEN, 0)};
  for (const bpf_insn& instruction : unknown) {
    AssertNothingForced({Statement(BPF_LD | BPF_W | BPF_ABS, 16), instruction,
                         Jump(BPF_JEQ, 5, 0, 1), kAccept, kReject},
                        kDestination);
  }
  AssertNothingForced(Compiled("ip[ip[8]] = 6"), kProtocol);
  AssertNothingForced(Compiled("ip[9] = ip[8]"), kProtocol);
}

void ConstantsAreCalculated(void**) {
  const Program program = {Statement(BPF_LDX | BPF_IMM, 4),
                           Statement(BPF_LD | BPF_IMM, 8),
                           Statement(BPF_ALU | BPF_ADD | BPF_X, 0),
                           Statement(BPF_ALU | BPF_DIV | BPF_K, 2),
                           Statement(BPF_MISC | BPF_TAX, 0),
                           Statement(BPF_LD | BPF_B | BPF_IND, 3),
                           Jump(BPF_JEQ, 17, 0, 1),
                           kAccept,
                           kReject};
  assert_int_equal(Forced(program, kProtocol), 17);
}

void LoadsBehindTheHeaderAreKeptApart(void**) {
  const Program msh = {Statement(BPF_LDX | BPF_MSH | BPF_B, 0),
                       Statement(BPF_LD | BPF_H | BPF_IND, 2), Jump(BPF_JEQ, 53, 0, 1), kAccept,
                       kReject};
  assert_int_equal(Forced(msh, {true, 2, 2}), 53);
  AssertNothingForced(msh, {false, 22, 2});
  // Four times the low half of another byte is nothing.
  const Program other = {Statement(BPF_LDX | BPF_MSH | BPF_B, 4),
                         Statement(BPF_LD | BPF_H | BPF_IND, 2), Jump(BPF_JEQ, 53, 0, 1), kAccept,
                         kReject};
  AssertNothingForced(other, {true, 2, 2});
  assert_int_equal(Forced(Compiled("ip[(ip[0] & 0xf) * 4 : 2] = 53"), {true, 0, 2}), 53);
}

void AReturnedNumberDecides(void**) {
  const Program program = {Statement(BPF_LD | BPF_B | BPF_ABS, 9), Statement(BPF_RET | BPF_A, 0)};
  const Paths paths = PathsOf(program);
  assert_int_equal(paths.accepting.size(), 1);
  assert_int_equal(paths.rejecting.size(), 1);
}

void LoadsBeyondWhatIsThereMayReject(void**) {
  const Program program = {Statement(BPF_LD | BPF_B | BPF_ABS, 9), kAccept};
  assert_true(PathsOf(program, {10, 0}).rejecting.empty());
  assert_int_equal(PathsOf(program, {9, 100}).rejecting.size(), 1);
  const Program behind = {Statement(BPF_LDX | BPF_MSH | BPF_B, 0),
                          Statement(BPF_LD | BPF_H | BPF_IND, 2), kAccept};
  assert_true(PathsOf(behind, {20, 4}).rejecting.empty());
  assert_int_equal(PathsOf(behind, {20, 3}).rejecting.size(), 1);
}

void ADivisorFromThePacketMayReject(void**) {
  const Program program = {Statement(BPF_LDX | BPF_MSH | BPF_B, 0),
                           Statement(BPF_ALU | BPF_DIV | BPF_X, 0), kAccept};
  assert_int_equal(PathsOf(program).rejecting.size(), 1);
}

void TooManyPathsAreGivenUp(void**) {
  // 40 independent tests: 2^40 paths.
  Program program;
  for (std::uint32_t i = 0; i < 40; ++i) {
    program.push_back(Statement(BPF_LD | BPF_B | BPF_ABS, 100 + i));
    program.push_back(Jump(BPF_JEQ, 1, 1, 0));
    program.push_back(Statement(BPF_LD | BPF_IMM, 0));
  }
  program.push_back(Statement(BPF_LD | BPF_B | BPF_ABS, 9));
  program.push_back(Jump(BPF_JEQ, 17, 0, 1));
  program.push_back(kAccept);
  program.push_back(kReject);
  int accepting = 0;
  const WalkVisitor count{.accepts =
                              [&](const Facts&) {
                                ++accepting;
                                return true;
                              },
                          .rejects = {}};
  assert_int_equal(Walk(program, {}, {}, count), WalkEnd::kOverBudget);
  const auto joined = JoinPaths(program, {});
  assert_true(joined.has_value());
  assert_true(joined->Values(kProtocol, 1) == std::vector<std::uint32_t>{17});
}

void JoiningKeepsWhatAllPathsShare(void**) {
  const auto joined = JoinPaths(Compiled("(icmp or igmp) and dst host 192.0.2.1"), {});
  assert_true(joined.has_value());
  assert_true(joined->Values(kDestination, 1) == std::vector<std::uint32_t>{0xc0000201});
  const std::vector<std::uint32_t> protocols = {1, 2};
  assert_true(joined->Values(kProtocol, 4) == protocols);
}

void JoiningFindsNoPathWhereThereIsNone(void**) {
  const Program program = {Statement(BPF_LD | BPF_B | BPF_ABS, 9),
                           Jump(BPF_JEQ, 17, 0, 3),
                           Statement(BPF_LD | BPF_B | BPF_ABS, 9),
                           Jump(BPF_JEQ, 6, 0, 1),
                           kAccept,
                           kReject};
  assert_false(JoinPaths(program, {}).has_value());
  assert_true(PathsOf(program).accepting.empty());
}

void BackwardJumpsAreLoops(void**) {
  assert_true(HasLoops(Compiled("ip6 protochain 6")));
  assert_false(HasLoops(Compiled("tcp port 80")));
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  ForbidNameLookup();
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPathIsFollowed),
      cmocka_unit_test(AVisitorStopsTheWalk),
      cmocka_unit_test(NumbersSurviveScratchMemoryAndTheIndexRegister),
      cmocka_unit_test(ShiftsAndMasksAreTracedBack),
      cmocka_unit_test(BitsThatWereShiftedOutAreGone),
      cmocka_unit_test(ComparisonsGoBothWays),
      cmocka_unit_test(ATestOfBitsPinsThemWhereItFails),
      cmocka_unit_test(WhatIsNotUnderstoodIsNeverEqual),
      cmocka_unit_test(ConstantsAreCalculated),
      cmocka_unit_test(LoadsBehindTheHeaderAreKeptApart),
      cmocka_unit_test(AReturnedNumberDecides),
      cmocka_unit_test(LoadsBeyondWhatIsThereMayReject),
      cmocka_unit_test(ADivisorFromThePacketMayReject),
      cmocka_unit_test(TooManyPathsAreGivenUp),
      cmocka_unit_test(JoiningKeepsWhatAllPathsShare),
      cmocka_unit_test(JoiningFindsNoPathWhereThereIsNone),
      cmocka_unit_test(BackwardJumpsAreLoops),
  };
  return cmocka_run_group_tests_name("walk", tests, nullptr, nullptr);
}
