// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/face/filter_check.h"

#include <cstdio>

#include "extcap/base/text.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump {

void PrintFilterVerdict(const std::string& filter) {
  const auto compiled = CaptureFilter::Compile(filter, NameLookup::kAccept);
  if (!compiled) std::puts(CleanLine(compiled.error().message).c_str());
}

}  // namespace cloudflaredump
