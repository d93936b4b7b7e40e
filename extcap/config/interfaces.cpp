// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/interfaces.h"

#include <glib.h>

#include <algorithm>

#include "common/colos.h"
#include "common/text.h"

namespace cloudflaredump::config {
namespace {

constexpr std::string_view kPrefix = "cloudflare-";

/// The interfaces that always exist, in their fixed order.
std::vector<CaptureInterface> FixedInterfaces() {
  return {
      {.name = "cloudflare-sample",
       .display = "Cloudflare sample: all data centers, last 5 min, first 160 bytes",
       .kind = InterfaceKind::kSample,
       .colo = {}},
      {.name = "cloudflare-live",
       .display = "Cloudflare live sample: all data centers, one to two minutes behind",
       .kind = InterfaceKind::kLive,
       .colo = {}},
      {.name = "cloudflare-full",
       .display = "Cloudflare, a data center you name: full capture via your bucket",
       .kind = InterfaceKind::kFull,
       .colo = {}},
      {.name = "cloudflare-download",
       .display = "Cloudflare: download an earlier capture",
       .kind = InterfaceKind::kDownload,
       .colo = {}},
  };
}

CaptureInterface ColoInterface(std::string_view code) {
  const std::string canonical = CanonicalColo(code);
  const Colo* const colo = FindColo(canonical);
  const std::string city = colo == nullptr ? "" : " (" + std::string(colo->city) + ")";
  return {.name = std::string(kPrefix) + std::string(code),
          .display = "Cloudflare " + canonical + city + ": full capture via your bucket",
          .kind = InterfaceKind::kColo,
          .colo = canonical};
}

}  // namespace

std::string CanonicalColo(std::string_view code) {
  std::string canonical(code);
  if (code.size() == 3) std::ranges::transform(code, canonical.begin(), g_ascii_toupper);
  return canonical;
}

std::vector<CaptureInterface> ListInterfaces(const std::string& colos) {
  std::vector<CaptureInterface> interfaces = FixedInterfaces();
  for (const std::string_view piece : Split(colos, ',')) {
    const std::string_view code = Trim(piece);
    if (!IsColoShape(code)) continue;
    // Wireshark maps names to preferences in lower case: ORD and ord would be the same.
    const bool listed = std::ranges::any_of(interfaces, [&](const CaptureInterface& other) {
      return other.colo.size() == code.size() &&
             g_ascii_strncasecmp(other.colo.data(), code.data(), code.size()) == 0;
    });
    if (!listed) interfaces.push_back(ColoInterface(code));
  }
  return interfaces;
}

Result<CaptureInterface> FindInterface(std::string_view name) {
  for (const CaptureInterface& interface : FixedInterfaces()) {
    if (interface.name == name) return interface;
  }
  if (name.starts_with(kPrefix) && IsColoShape(name.substr(kPrefix.size()))) {
    return ColoInterface(name.substr(kPrefix.size()));
  }
  return Fail(
      Format("there is no interface \"%s\"", CleanLine(name, 60).c_str()),
      "use cloudflare-sample, cloudflare-live, cloudflare-full, cloudflare-download or that of a "
      "data center, such as cloudflare-ORD",
      Error::Kind::kUsage);
}

}  // namespace cloudflaredump::config
