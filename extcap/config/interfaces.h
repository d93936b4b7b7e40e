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

/// Lists the interfaces in their fixed order: sample, live, full, download, then one for each data
/// center of the setting `colos`. Malformed codes and repetitions are left out.
std::vector<CaptureInterface> ListInterfaces(const std::string& colos);

/// Finds the interface called `name`, also of a data center that `colos` does not list if its code
/// is well formed. The Error names the interfaces.
Result<CaptureInterface> FindInterface(std::string_view name);

/// The code as Cloudflare writes it: a data center's in capitals. A site's stays as it is.
std::string CanonicalColo(std::string_view code);

}  // namespace cloudflaredump::config
