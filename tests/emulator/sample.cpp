// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/sample.h"

#include <algorithm>

namespace cloudflare_emulator {

std::string SampleFile(const SampleWindow& window, WindowEnds ends, const Traffic& traffic,
                       PcapForm form) {
  const Span start_moved(ends == WindowEnds::kOpenStart ? 1 : 0);
  const Span end_moved(ends == WindowEnds::kOpenEnd ? 1 : 0);
  std::vector<Record> taken;
  for (Record& record : traffic.Between(window.end - window.length + start_moved,
                                        std::min(window.end - end_moved, window.known_until))) {
    if (taken.size() >= window.packet_limit) break;
    if (!Matches(window.filter, record)) continue;
    auto converted = ConvertLinkType(std::move(record), form.link_type);
    if (!converted) continue;
    if (converted->bytes.size() > kSampleBytes) converted->bytes.resize(kSampleBytes);
    taken.push_back(*std::move(converted));
  }
  form.snap_length = kSampleBytes;
  return WritePcap(form, taken);
}

}  // namespace cloudflare_emulator
