// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/interfaces.h"

#include <glib.h>

#include <algorithm>

#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

constexpr std::string_view kPrefix = "cloudflare-";

const CaptureInterface& Sample() {
  static const CaptureInterface interface{
      .name = "cloudflare-sample",
      .display = "Cloudflare sample: all data centers, last 5 min, first 160 bytes",
      .kind = InterfaceKind::kSample,
      .colo = {}};
  return interface;
}

}  // namespace

bool IsColoShape(std::string_view code) {
  if (code.size() < 3 || code.size() > 6) return false;
  return std::ranges::all_of(code.substr(0, 3), [](char c) { return g_ascii_isalpha(c); }) &&
         std::ranges::all_of(code.substr(3), [](char c) { return g_ascii_isdigit(c); });
}

std::vector<CaptureInterface> ListInterfaces(const std::string&) {
  return {Sample()};
}

Result<CaptureInterface> FindInterface(std::string_view name) {
  if (name == Sample().name) return Sample();
  return Fail(Format("there is no interface \"%s\"; there is cloudflare-sample.",
                     CleanLine(name, 60).c_str()),
              Error::Kind::kUsage);
}

}  // namespace cloudflaredump
