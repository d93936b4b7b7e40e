// SPDX-License-Identifier: GPL-2.0-or-later
#include <cmath>
#include <vector>

#include "extcap/compare/significance.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::compare {
namespace {

void AssertNear(double got, double want, double within) {
  if (std::abs(got - want) > within) fail_msg("%.9g is not %.9g", got, want);
}

double Choose(int n, int k) {
  double result = 1;
  for (int i = 1; i <= k; ++i) result = result * (n - k + i) / i;
  return result;
}

/// P(at least `hits`) of a binomial, summed term by term.
double BinomialTail(int tries, int hits, double share) {
  double sum = 0;
  for (int k = hits; k <= tries; ++k) {
    sum += Choose(tries, k) * std::pow(share, k) * std::pow(1 - share, tries - k);
  }
  return sum;
}

void TheBlindSpotOfThirtyPackets(void**) {
  const Interval interval = BinomialInterval(0, 30);
  AssertNear(interval.low, 0, 0);
  AssertNear(interval.high, 0.1157, 0.0001);
}

void TheIntervalsEndsHaveTailsOfTwoAndAHalfPercent(void**) {
  for (const int tries : {5, 30, 60}) {
    for (int hits = 1; hits < tries; hits += 4) {
      const Interval interval =
          BinomialInterval(static_cast<std::uint64_t>(hits), static_cast<std::uint64_t>(tries));
      AssertNear(BinomialTail(tries, hits, interval.low), 0.025, 1e-6);
      AssertNear(1 - BinomialTail(tries, hits + 1, interval.high), 0.025, 1e-6);
    }
  }
  AssertNear(BinomialInterval(7, 7).high, 1, 0);
  AssertNear(BinomialInterval(0, 0).high, 1, 0);
}

void ChanceOfAsManyIsFishers(void**) {
  // 20 packets, 8 missing, 6 drawn: summed by hand.
  for (int hits = 3; hits <= 6; ++hits) {
    double sum = 0;
    for (int k = hits; k <= 6; ++k) sum += Choose(8, k) * Choose(12, 6 - k) / Choose(20, 6);
    AssertNear(ChanceOfAsMany(20, 8, 6, static_cast<std::uint64_t>(hits)), sum, 1e-9);
  }
  AssertNear(ChanceOfAsMany(20, 8, 6, 7), 0, 0);
  AssertNear(ChanceOfAsMany(20, 8, 6, 1), 1, 0);
}

void PoissonTailSumsToOne(void**) {
  AssertNear(PoissonTail(2, 3), 1 - std::exp(-2.0) * (1 + 2 + 2), 1e-9);
  AssertNear(PoissonTail(5, 4), 1, 0);
}

void FlowsThatAreLostWholeWidenTheInterval(void**) {
  // 40 flows of 50 packets, four of them lost: the unit is the flow.
  std::vector<FlowLoss> flows(40, {.packets = 50});
  for (int i = 0; i < 4; ++i) flows[static_cast<std::size_t>(i)].missing = 50;
  const Interval whole = FlowInterval(flows);
  const Interval packets = BinomialInterval(200, 2000);
  assert_true(whole.high - whole.low > 2 * (packets.high - packets.low));
  assert_true(whole.low < 0.1 && whole.high > 0.1);
}

void APerfectSplitExplainsMost(void**) {
  const double perfect = LogGain(100, 20, 20, 20);
  assert_true(perfect > LogGain(100, 20, 40, 20));
  assert_true(LogGain(100, 20, 40, 20) > LogGain(100, 20, 40, 12));
  AssertNear(LogGain(100, 20, 50, 10), 0, 1e-9);
}

}  // namespace
}  // namespace cloudflaredump::compare

int main() {
  using namespace cloudflaredump::compare;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheBlindSpotOfThirtyPackets),
      cmocka_unit_test(TheIntervalsEndsHaveTailsOfTwoAndAHalfPercent),
      cmocka_unit_test(ChanceOfAsManyIsFishers),
      cmocka_unit_test(PoissonTailSumsToOne),
      cmocka_unit_test(FlowsThatAreLostWholeWidenTheInterval),
      cmocka_unit_test(APerfectSplitExplainsMost),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
