// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_table.h"

#include <cmath>
#include <random>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

api::TrafficRow Row(const char* colo, const char* site, double packets, const char* system = "") {
  return {.colo = colo,
          .site = site,
          .outcome = *system == '\0' ? "pass" : "drop",
          .system = system,
          .address = "",
          .packets = packets};
}

void AssertNear(double got, double want) {
  if (std::abs(got - want) > 0.0005) fail_msg("%f is not %f", got, want);
}

void RowsAreSummedByDataCenterAndSite(void**) {
  const TrafficTable table =
      TallyTraffic({Row("ORD", "ord02", 300000), Row("ord", "ord02", 100000, "dosd"),
                    Row("ORD", "ord08", 100000), Row("FRA", "fra07", 500000, "flowtrackd"),
                    Row("FRA", "fra07", 1000000)},
                   {Row("AMS", "ams01", 50000)});
  assert_int_equal(table.colos.size(), 3);
  const ColoTraffic& fra = table.colos[0];
  AssertText(PlaceOf(fra), "FRA (Frankfurt)");
  AssertNear(fra.share.value, 0.75);
  AssertNear(fra.dropped_share.value, 1.0 / 3);
  AssertNear(fra.dropped_by.at("flowtrackd").packets, 500000);
  assert_null(DominantSite(fra));  // it has no other
  const ColoTraffic& ord = table.colos[1];
  AssertText(ord.colo, "ORD");
  AssertNear(ord.count.packets, 500000);
  AssertNear(ord.count.samples, 50);
  AssertText(DominantSite(ord)->site, "ord02");
  AssertNear(DominantSite(ord)->count.packets, 400000);
  // What came only lately is there, without a share of the window.
  AssertText(table.colos[2].colo, "AMS");
  AssertNear(table.colos[2].share.value, 0);
  AssertNear(table.colos[2].recent_share.value, 1);
  AssertNear(table.all.packets, 2000000);
  AssertNear(table.dropped.packets, 600000);
  AssertNear(table.SampledOneIn(), 10000);
}

void NoneDominatesAtHalf(void**) {
  const TrafficTable table =
      TallyTraffic({Row("ORD", "ord02", 100000), Row("ORD", "ord08", 100000)}, {});
  assert_null(DominantSite(table.colos[0]));
}

void NothingIsNoSamples(void**) {
  const TrafficTable table = TallyTraffic({}, {});
  assert_true(table.colos.empty());
  AssertNear(table.all.samples, 0);
  AssertNear(table.SampledOneIn(), 10000);
}

void TheIntervalThatIsToldCounts(void**) {
  api::TrafficRow row = Row("ORD", "ord02", 5000);
  row.sample_interval = 100;
  const TrafficTable table = TallyTraffic({row}, {});
  AssertNear(table.all.samples, 50);
  AssertNear(table.SampledOneIn(), 100);
}

/// Names that a server makes up go to terminals.
void NamesAreCleaned(void**) {
  const TrafficTable table = TallyTraffic(
      {Row("X\033[31m", std::string(500, 'a').c_str(), 10000, "d\nosd"), Row("", "", 10000)}, {});
  for (const ColoTraffic& colo : table.colos) {
    assert_true(colo.colo.find('\033') == std::string::npos);
    for (const SiteTraffic& site : colo.sites) assert_in_range(site.site.size(), 1, 60);
    for (const auto& [system, count] : colo.dropped_by) {
      assert_true(system.find('\n') == std::string::npos);
    }
  }
  AssertText(PlaceOf(table.colos[0]), "an unnamed data center");
}

void RangesAreWilsons(void**) {
  // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611; 1 of 29
  // gives 0.0061 to 0.1718.
  const struct {
    double part, all, low, high;
  } published[] = {{81, 263, 0.2553, 0.3662}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (const auto& one : published) {
    const Share share = ShareOf({.packets = one.part, .samples = one.part},
                                {.packets = one.all, .samples = one.all});
    AssertNear(share.low, one.low);
    AssertNear(share.high, one.high);
  }
}

/// The law: whatever the counts, 0 <= low <= value <= high <= 1, and more samples narrow the range.
void RangesHoldTheirShare(void**) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const double all = 1 + random() % 1000;
    const double part = random() % (static_cast<unsigned>(all) + 1);
    const Share one = ShareOf({part * 1e4, part}, {all * 1e4, all});
    assert_true(0 <= one.low && one.low <= one.value && one.value <= one.high && one.high <= 1);
    const Share more = ShareOf({part * 1e6, part * 100}, {all * 1e6, all * 100});
    assert_true(more.high - more.low < one.high - one.low);
  }
  const Share unknown = ShareOf({}, {});
  assert_true(unknown.low == 0 && unknown.high == 1);
}

void PercentsAreNeverRoundedToNothingOrAll(void**) {
  AssertText(Percent(0.614), "61%");
  AssertText(Percent(0), "0%");
  AssertText(Percent(0.0001), "<1%");
  AssertText(Percent(0.9999), ">99%");
  AssertText(Percent(1), "100%");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RowsAreSummedByDataCenterAndSite),
      cmocka_unit_test(NoneDominatesAtHalf),
      cmocka_unit_test(NothingIsNoSamples),
      cmocka_unit_test(TheIntervalThatIsToldCounts),
      cmocka_unit_test(NamesAreCleaned),
      cmocka_unit_test(RangesAreWilsons),
      cmocka_unit_test(RangesHoldTheirShare),
      cmocka_unit_test(PercentsAreNeverRoundedToNothingOrAll),
  };
  return cmocka_run_group_tests_name("traffic_table", tests, nullptr, nullptr);
}
