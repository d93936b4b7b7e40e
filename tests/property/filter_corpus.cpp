// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every filter of a file, one a line: planned soundly, or refused in libpcap's own words.
//   filter_corpus FILE [PACKETS for each filter]
// Exit status 77 (skipped) if there is no such file.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/link_type.h"
#include "tests/property/filter_case.h"

namespace cloudflaredump {
namespace {

/// How many filters have a plan that asks for less than everything.
struct Narrow {
  int filters = 0;
  int link_layer = 0;
  int narrower[5] = {};  ///< For N = 1 to 4.
  int wrongly_refused = 0;
};

void CheckRefusal(const std::string& text, const Error& error, Narrow& narrow) {
  const auto raw = filter::CompileProgram(text, filter::kLinkTypeRaw);
  const bool libpcap_refuses = !raw && raw.error().what == error.what;
  // libpcap compiles these for a live interface of Linux.
  const bool about_direction = SentenceOf(error).find("inbound, outbound") != std::string::npos;
  if (libpcap_refuses || about_direction) return;
  std::printf("WRONGLY REFUSED: %s: %s\n", text.c_str(), SentenceOf(error).c_str());
  ++narrow.wrongly_refused;
}

void CountNarrow(const filter::CaptureFilter& filter, Narrow& narrow) {
  ++narrow.filters;
  narrow.link_layer += filter.kind() == filter::CaptureFilter::Kind::kLinkLayer ? 1 : 0;
  for (int n = 1; n <= 4; ++n) {
    const filter::Plan plan = filter::MakePlan(filter, {.max_requests = n});
    narrow.narrower[n] += std::ranges::count(plan.requests, filter::Box{}) == 0 ? 1 : 0;
  }
}

int Main(int count, char** arguments) {
  std::ifstream file(count > 1 ? arguments[1] : "");
  if (!file) {
    std::printf("skipped: there is no file of filters\n");
    return 77;
  }
  const auto packets =
      static_cast<unsigned>(count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 300);
  FilterTotals totals;
  Narrow narrow;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    auto filter = filter::CaptureFilter::Compile(line, filter::NameLookup::kRefuse,
                                                 filter::CompileBounds{.limits = {}});
    if (!filter) {
      ++totals.refused;
      CheckRefusal(line, filter.error(), narrow);
      continue;
    }
    CountNarrow(*filter, narrow);
    if (filter->kind() != filter::CaptureFilter::Kind::kIp) continue;
    FilterCase(totals.filters, "filter_corpus", std::move(*filter), totals).Search(packets);
  }
  Print(totals);
  std::printf(
      "%d filters, %d of them about the link layer; narrower than everything: N=1 %d, N=2 %d, "
      "N=3 %d, N=4 %d\n",
      narrow.filters, narrow.link_layer, narrow.narrower[1], narrow.narrower[2], narrow.narrower[3],
      narrow.narrower[4]);
  return totals.violations == 0 && narrow.wrongly_refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cloudflaredump

int main(int count, char** arguments) {
  cloudflaredump::filter::ForbidNameLookup();
  return cloudflaredump::Main(count, arguments);
}
