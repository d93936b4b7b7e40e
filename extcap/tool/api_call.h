// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extcap/capture/engine.h"
#include "extcap/config/arguments.h"
#include "extcap/config/settings.h"

namespace cloudflaredump {

/// What the commands that only ask the API have in common: arguments read, settings loaded, the API
/// ready.
struct ApiCall {
  Settings settings;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<PcapsApi> api;
  std::vector<std::string> words;

  /// `usage` and `summary` are for --help; `extra` is what the command takes beside settings.
  static Result<ApiCall> Prepare(int argc, char** argv, const char* usage, const char* summary,
                                 std::span<const ExtraArgument> extra = {});

  /// A person waits: faults are borne for 5 s.
  Patience patience() const;
};

}  // namespace cloudflaredump
