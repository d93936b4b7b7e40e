// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/compare/options.h"
#include "extcap/config/options.h"

namespace cloudflaredump::tool {

/// What is captured for a comparison.
struct BothSides {
  std::string filter;
  std::uint64_t seconds = 0;               ///< of both sides at once; 0: `values` name a capture
  std::vector<std::string> commands = {};  ///< one for each local capture
  bool quiet = false;
};

/// A path by which this process can open the file of `fd` until its end, whatever its name; so
/// nothing is left behind, however the process ends. An Error if there is no descriptor left.
Result<std::string> KeepOpen(int fd);

/// Where the captures are.
struct CapturedSides {
  compare::InputFile cloudflare;
  std::vector<compare::InputFile> locals;
};

/// Starts the local captures, waits, and asks Cloudflare for the sample of that very window; or
/// gets the earlier capture that `values` name by --pcap-id. The files have no names any more
/// (KeepOpen). No packets on Cloudflare's side are an empty file. After that signals end the
/// program at once.
Result<CapturedSides> CaptureBothSides(const BothSides& sides, config::OptionValues values);

}  // namespace cloudflaredump::tool
