// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/filter_check.h"

#include <cstdio>

#include "common/text.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::frontend {

bool PrintFilterVerdict(const std::string& filter) {
  const auto compiled = filter::CaptureFilter::Compile(filter, filter::NameLookup::kAccept,
                                                       {.limits = filter::kLimitsAtKeyPress});
  if (compiled) return true;
  // libpcap's own words are shown as they are.
  const Error& error = compiled.error();
  std::puts(CleanLine(error.remedy.empty() ? ClauseOf(error) : SentenceOf(error)).c_str());
  return false;
}

}  // namespace cloudflaredump::frontend
