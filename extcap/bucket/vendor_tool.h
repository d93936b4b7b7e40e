// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "extcap/bucket/destination_conf.h"
#include "extcap/system/run_program.h"

namespace cloudflaredump::bucket {

/// How the tools of stores' vendors are run.
struct ToolAccess {
  system::ProgramRunner run = system::RunProgram;
  std::function<bool()> stop = [] { return false; };
};

/// A vendor's tool as we run it: without the secrets of Cloudflare and of other stores than `kind`
/// in its environment.
system::Program VendorTool(StoreKind kind, std::vector<std::string> argv);

/// What a tool that failed said on stderr, as one line, without secrets and bounded: of a Python
/// traceback its last line. Empty if it said nothing.
std::string WordsOf(const system::ProgramEnd& end);

}  // namespace cloudflaredump::bucket
