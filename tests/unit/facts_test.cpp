// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/facts.h"

#include <algorithm>
#include <random>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

constexpr Window kAddress{false, 12, 4};
constexpr Window kPort{true, 0, 2};
constexpr Window kProtocol{false, 9, 1};

Fact Range(const Window& window, std::uint32_t least, std::uint32_t most) {
  return {.window = window, .mask = FullMask(window), .least = least, .most = most};
}

Fact Masked(const Window& window, std::uint32_t mask, std::uint32_t number) {
  return {.window = window, .mask = mask, .least = number, .most = number};
}

Fact Not(const Window& window, std::uint32_t mask, std::uint32_t number) {
  return {.window = window, .mask = mask, .least = number, .most = number, .excluded = true};
}

std::vector<std::uint32_t> ValuesOf(const Facts& facts, const Window& window) {
  return facts.Values(window, 8).value();
}

void AnEqualityIsOneValue(void**) {
  Facts facts;
  assert_true(facts.AddEqual(kProtocol, 6));
  assert_true(ValuesOf(facts, kProtocol) == std::vector<std::uint32_t>{6});
  assert_int_equal(facts.Known(kProtocol).mask, 0xff);
}

void NothingKnownIsNoList(void**) {
  Facts facts;
  assert_false(facts.Values(kAddress, 8).has_value());
  assert_false(facts.Values(kPort, 8).has_value());
  assert_int_equal(facts.Known(kAddress).mask, 0);
}

void ContradictionsAreSeen(void**) {
  Facts facts;
  assert_true(facts.AddEqual(kProtocol, 6));
  assert_false(facts.AddEqual(kProtocol, 17));
  assert_false(facts.Add(Not(kProtocol, 0xff, 6)));
  assert_false(facts.Add(Range(kProtocol, 7, 255)));
  assert_false(facts.Add(Masked(kProtocol, 0x01, 1)));
  assert_true(facts.Add(Not(kProtocol, 0xff, 17)));
  assert_true(facts.Add(Range(kProtocol, 0, 6)));
}

void ContradictionsBetweenWindowsAreSeen(void**) {
  Facts facts;
  assert_true(facts.Add(Masked(kAddress, 0xffff0000, 0xc0000000)));
  assert_false(facts.AddEqual({false, 12, 1}, 10));
  assert_true(facts.AddEqual({false, 12, 1}, 0xc0));
  assert_false(facts.AddEqual({false, 10, 4}, 0x0000c001));
  assert_false(facts.AddEqual(kAddress, 0x0a000001));
}

void TheHeadersEndIsAnotherPlaceThanItsStart(void**) {
  Facts facts;
  assert_true(facts.AddEqual({true, 0, 2}, 53));
  assert_true(facts.AddEqual({false, 0, 2}, 80));
  assert_false(facts.Values({false, 20, 2}, 8).has_value());
}

void AnExclusionBeforeTheEqualityCounts(void**) {
  Facts facts;
  assert_true(facts.Add(Not(kAddress, 0xffffffff, 0xc0000201)));
  assert_false(facts.AddEqual(kAddress, 0xc0000201));
}

void ANetWithoutAllButOneOfItsHostsIsThatHost(void**) {
  Facts facts;
  assert_true(facts.Add(Masked(kAddress, 0xfffffffe, 0xc0000200)));
  assert_int_equal(ValuesOf(facts, kAddress).size(), 2);
  assert_true(facts.Add(Not(kAddress, 0xffffffff, 0xc0000200)));
  assert_true(ValuesOf(facts, kAddress) == std::vector<std::uint32_t>{0xc0000201});
}

void ARangeIsCountedOut(void**) {
  Facts facts;
  assert_true(facts.Add(Range(kPort, 80, 0xffff)));
  assert_true(facts.Add(Range(kPort, 0, 83)));
  assert_true(facts.Add(Not(kPort, 0xffff, 81)));
  const std::vector<std::uint32_t> want = {80, 82, 83};
  assert_true(ValuesOf(facts, kPort) == want);
  assert_false(facts.Values(kPort, 2).has_value());
}

void PartsMakeTheWhole(void**) {
  Facts facts;
  assert_true(facts.AddEqual({false, 12, 2}, 0xc000));
  assert_true(facts.AddEqual({false, 14, 1}, 2));
  assert_true(facts.Add(Masked({false, 15, 1}, 0xfe, 8)));
  assert_true(facts.Add(Range({false, 15, 1}, 9, 255)));
  assert_true(ValuesOf(facts, kAddress) == std::vector<std::uint32_t>{0xc0000209});
}

void APartOfALargerWindowIsKnown(void**) {
  Facts facts;
  assert_true(facts.AddEqual({false, 8, 4}, 0x40060000));
  assert_true(ValuesOf(facts, kProtocol) == std::vector<std::uint32_t>{6});
}

void NoValueLeftIsAnEmptyList(void**) {
  Facts facts;
  assert_true(facts.Add(Range(kPort, 80, 81)));
  assert_true(facts.Add(Not(kPort, 0xffff, 80)));
  assert_true(facts.Add(Not(kPort, 0xffff, 81)));
  assert_true(ValuesOf(facts, kPort).empty());
}

void TruncatingTakesFactsBack(void**) {
  Facts facts;
  assert_true(facts.AddEqual(kProtocol, 6));
  const std::size_t size = facts.size();
  assert_true(facts.AddEqual(kPort, 80));
  facts.Truncate(size);
  assert_true(facts.AddEqual(kPort, 81));
  assert_true(ValuesOf(facts, kPort) == std::vector<std::uint32_t>{81});
}

void AKnownHeaderLengthMovesWindows(void**) {
  Facts facts;
  assert_true(facts.AddEqual({true, 2, 2}, 443));
  const Facts fixed = facts.WithHeaderLength(24);
  assert_true(ValuesOf(fixed, {false, 26, 2}) == std::vector<std::uint32_t>{443});
  assert_false(fixed.Values({true, 2, 2}, 8).has_value());
}

Fact RandomFact(std::mt19937& random) {
  constexpr Window kWindows[] = {{false, 0, 2}, {false, 0, 1}, {false, 1, 1}};
  const Window window = kWindows[random() % 3];
  const std::uint32_t full = FullMask(window);
  const std::uint32_t mask = random() % 2 == 0 ? full : static_cast<std::uint32_t>(random()) & full;
  const std::uint32_t a = static_cast<std::uint32_t>(random()) & mask;
  const std::uint32_t b = random() % 2 == 0 ? a : static_cast<std::uint32_t>(random()) & mask;
  if (random() % 3 == 0) return Not(window, mask, a);
  return {.window = window, .mask = mask, .least = std::min(a, b), .most = std::max(a, b)};
}

bool Satisfies(std::uint32_t number, const Fact& fact) {
  const std::uint32_t part = fact.window.size == 2     ? number
                             : fact.window.offset == 0 ? number >> 8
                                                       : number & 0xff;
  const std::uint32_t masked = part & fact.mask;
  return fact.excluded ? masked != fact.least : masked >= fact.least && masked <= fact.most;
}

/// All 65,536 numbers of a window are tried against what Facts says of it.
void RandomFactsAgreeWithCounting(void**) {
  std::mt19937 random(4);
  unsigned contradictions = 0;
  unsigned lists = 0;
  for (int round = 0; round < 1000; ++round) {
    Facts facts;
    bool possible = true;
    std::vector<Fact> added;
    for (unsigned i = 1 + random() % 4; i > 0 && possible; --i) {
      added.push_back(RandomFact(random));
      possible = facts.Add(added.back());
    }
    std::vector<std::uint32_t> left;
    for (std::uint32_t number = 0; number < 0x10000; ++number) {
      const auto holds = [&](const Fact& fact) { return Satisfies(number, fact); };
      if (std::ranges::all_of(added, holds)) left.push_back(number);
    }
    if (!possible) {
      assert_true(left.empty());
      ++contradictions;
      continue;
    }
    const KnownBits known = facts.Known({false, 0, 2});
    for (const std::uint32_t number : left) {
      assert_int_equal(number & known.mask, known.value);
    }
    const auto values = facts.Values({false, 0, 2}, 64);
    if (!values) continue;
    ++lists;
    assert_true(*values == left);
  }
  assert_true(contradictions > 100);
  assert_true(lists > 50);
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnEqualityIsOneValue),
      cmocka_unit_test(NothingKnownIsNoList),
      cmocka_unit_test(ContradictionsAreSeen),
      cmocka_unit_test(ContradictionsBetweenWindowsAreSeen),
      cmocka_unit_test(TheHeadersEndIsAnotherPlaceThanItsStart),
      cmocka_unit_test(AnExclusionBeforeTheEqualityCounts),
      cmocka_unit_test(ANetWithoutAllButOneOfItsHostsIsThatHost),
      cmocka_unit_test(ARangeIsCountedOut),
      cmocka_unit_test(PartsMakeTheWhole),
      cmocka_unit_test(APartOfALargerWindowIsKnown),
      cmocka_unit_test(NoValueLeftIsAnEmptyList),
      cmocka_unit_test(TruncatingTakesFactsBack),
      cmocka_unit_test(AKnownHeaderLengthMovesWindows),
      cmocka_unit_test(RandomFactsAgreeWithCounting),
  };
  return cmocka_run_group_tests_name("facts", tests, nullptr, nullptr);
}
