// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/compare/options.h"
#include "extcap/config/options.h"

namespace cloudflaredump::tool {

/// A private folder that goes with everything in it.
class WorkFolder {
 public:
  static Result<WorkFolder> Make();
  WorkFolder(WorkFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  WorkFolder& operator=(WorkFolder&&) = delete;
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// What is captured for a comparison.
struct BothSides {
  std::string filter;
  std::uint64_t seconds = 0;               ///< of both sides at once; 0: `values` name a capture
  std::vector<std::string> commands = {};  ///< one for each local capture
  bool quiet = false;
};

/// Where the captures are.
struct CapturedSides {
  compare::InputFile cloudflare;
  std::vector<compare::InputFile> locals;
};

/// Starts the local captures, waits, and asks Cloudflare for the sample of that very window; or
/// gets the earlier capture that `values` name by --pcap-id. The files are in `folder`. No packets
/// on Cloudflare's side are an empty file.
Result<CapturedSides> CaptureBothSides(const BothSides& sides, config::OptionValues values,
                                       const WorkFolder& folder);

}  // namespace cloudflaredump::tool
