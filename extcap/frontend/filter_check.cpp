// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/filter_check.h"

#include <cstdio>

#include "common/text.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::frontend {

void PrintFilterVerdict(const std::string& filter) {
  const auto compiled = filter::CaptureFilter::Compile(filter, filter::NameLookup::kAccept,
                                                       {.limits = filter::kLimitsAtKeyPress});
  if (compiled) return;
  // libpcap's own words are shown as they are.
  const Error& error = compiled.error();
  std::puts(CleanLine(error.remedy.empty() ? ClauseOf(error) : SentenceOf(error)).c_str());
}

}  // namespace cloudflaredump::frontend
