// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <vector>

#include "extcap/compare/match.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::compare {
namespace {

using Times = std::vector<std::int64_t>;
using Partners = std::vector<std::uint32_t>;

Partners Pair(const Times& expected, const Times& seen, std::int64_t close) {
  Partners partner(expected.size(), kNone);
  PairInOrder(expected, seen, close, partner);
  return partner;
}

void EachIsPairedOnceAndInOrder(void**) {
  assert_true(Pair({0, 100, 200}, {1, 101, 202}, 10) == Partners({0, 1, 2}));
  assert_true(Pair({0, 1}, {0}, 10) == Partners({0, kNone}));
  assert_true(Pair({}, {1, 2}, 10).empty());
}

void ALossDoesNotShiftTheOthers(void**) {
  // Equal packets every 20; the first is lost, and the last was captured twice.
  assert_true(Pair({0, 20, 40, 60}, {21, 41, 61, 62}, 15) == Partners({kNone, 0, 1, 2}));
}

void WhatIsTooFarStaysAlone(void**) {
  assert_true(Pair({0}, {21}, 10) == Partners({kNone}));
  assert_true(Pair({0}, {-19}, 10) == Partners({0}));
}

void AFloodIsCountedInOrder(void**) {
  // Too many possible pairs for more than their order.
  Times expected;
  Times seen;
  for (std::int64_t i = 0; i < 3000; ++i) {
    expected.push_back(i);
    if (i % 10 != 0) seen.push_back(i + 1);
  }
  const Partners partner = Pair(expected, seen, 100'000);
  assert_int_equal(std::ranges::count(partner, kNone), 300);
}

}  // namespace
}  // namespace cloudflaredump::compare

int main() {
  using namespace cloudflaredump::compare;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachIsPairedOnceAndInOrder),
      cmocka_unit_test(ALossDoesNotShiftTheOthers),
      cmocka_unit_test(WhatIsTooFarStaysAlone),
      cmocka_unit_test(AFloodIsCountedInOrder),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
