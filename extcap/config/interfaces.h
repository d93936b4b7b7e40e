// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "extcap/config/options.h"
#include "extcap/config/settings.h"

namespace cloudflaredump::config {

/// A capture interface as Wireshark lists it.
struct CaptureInterface {
  std::string name;     ///< "cloudflare-sample", "cloudflare-ORD"
  std::string display;  ///< "Cloudflare ORD (Chicago): full capture via your bucket"
  InterfaceKind kind = InterfaceKind::kSample;
  std::string colo;  ///< of a kColo, in the user's spelling
};

/// The interfaces in their fixed order: sample, full, download, one for each data center of the
/// setting `colos` (codes of no possible shape and repetitions are left out).
std::vector<CaptureInterface> ListInterfaces(const std::string& colos);

/// The interface called `name`. A data center that `colos` does not list is found all the same, if
/// its code has the right shape. The Error names the interfaces that there are.
Result<CaptureInterface> FindInterface(std::string_view name);

/// Three letters and at most three digits: ORD, ord02.
bool IsColoShape(std::string_view code);

}  // namespace cloudflaredump::config
