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

/// The settings that count for a command which only asks the API, and for one which also reads a
/// bucket. Keys of buckets are not among them: they should not be typed here.
inline constexpr Opt kApiOptions[] = {Opt::kAccountId, Opt::kApiToken,  Opt::kApiEmail,
                                      Opt::kApiKey,    Opt::kProfile,   Opt::kLogLevel,
                                      Opt::kLogFile,   Opt::kApiBaseUrl};
inline constexpr Opt kBucketOptions[] = {Opt::kAccountId, Opt::kApiToken,   Opt::kApiEmail,
                                         Opt::kApiKey,    Opt::kProfile,    Opt::kLogLevel,
                                         Opt::kLogFile,   Opt::kApiBaseUrl, Opt::kBucketEndpoint};

/// How many words a command takes behind its options, and the sentence for another number.
struct WordCount {
  std::size_t count;
  const char* otherwise;
};

/// What the commands that only ask the API have in common: arguments read, settings loaded, the API
/// ready.
struct ApiCall {
  Settings settings;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<PcapsApi> api;
  std::vector<std::string> words;  ///< as many as WordCount says

  /// `extra` is what the command takes beside settings. A wrong command line is told before a
  /// missing token.
  static Result<ApiCall> Prepare(int argc, char** argv, const CommandHelp& help,
                                 const WordCount& words, std::span<const ExtraArgument> extra = {});

  /// A person waits: faults are borne for 5 s.
  Patience patience() const;
};

}  // namespace cloudflaredump
