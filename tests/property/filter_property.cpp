// SPDX-License-Identifier: GPL-2.0-or-later
//
// Random filters and packets: what libpcap accepts, some request of the plan holds; and the plan
// with its residual delivers exactly that, once.
//   filter_property [SEED [FILTERS [PACKETS for each filter [loose]]]]
// Filter number i is drawn from SEED + i: a failure prints that number, which alone repeats it.
// `loose` prints every filter whose plan is not the best that brute force finds.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/text.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "tests/property/filter_case.h"
#include "tests/property/random_filter.h"

namespace cloudflaredump {
namespace {

std::uint64_t Argument(int count, char** arguments, int index, std::uint64_t otherwise) {
  return count > index ? std::strtoull(arguments[index], nullptr, 10) : otherwise;
}

void Try(std::uint64_t seed, unsigned packets, FilterTotals& totals) {
  Random random(seed);
  auto filter = filter::CaptureFilter::Compile(RandomFilter(random), filter::NameLookup::kRefuse,
                                               filter::CompileBounds{.limits = {}});
  if (!filter || filter->kind() != filter::CaptureFilter::Kind::kIp) {
    ++totals.refused;
    return;
  }
  const std::string repeat =
      Format("filter_property %llu 1 %u", static_cast<unsigned long long>(seed), packets);
  FilterCase filter_case(seed, repeat, std::move(*filter), totals);
  filter_case.Search(packets);
  filter_case.CompareWithBest();
}

int Main(int count, char** arguments) {
  const std::uint64_t seed = Argument(count, arguments, 1, 1);
  const std::uint64_t filters = Argument(count, arguments, 2, 1000);
  const auto packets = static_cast<unsigned>(Argument(count, arguments, 3, 700));
  FilterTotals totals;
  totals.print_loose = count > 4;
  for (std::uint64_t i = 0; i < filters && totals.violations < 10; ++i) {
    Try(seed + i, packets, totals);
  }
  Print(totals);
  return totals.violations == 0 && totals.accepted > 0 ? 0 : 1;
}

}  // namespace
}  // namespace cloudflaredump

int main(int count, char** arguments) {
  cloudflaredump::filter::ForbidNameLookup();
  return cloudflaredump::Main(count, arguments);
}
