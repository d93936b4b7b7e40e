// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extcap/capture/engine.h"
#include "extcap/config/arguments.h"
#include "extcap/config/settings.h"

namespace cloudflaredump::tool {

/// The settings that count for a command which only asks the API, and for one which also reads a
/// bucket. Keys of buckets are not among them: they should not be typed here.
inline constexpr config::Opt kApiOptions[] = {config::Opt::kAccountId, config::Opt::kApiToken,
                                              config::Opt::kApiEmail,  config::Opt::kApiKey,
                                              config::Opt::kProfile,   config::Opt::kLogLevel,
                                              config::Opt::kLogFile,   config::Opt::kApiBaseUrl};
inline constexpr config::Opt kBucketOptions[] = {
    config::Opt::kAccountId,  config::Opt::kApiToken,   config::Opt::kApiEmail,
    config::Opt::kApiKey,     config::Opt::kProfile,    config::Opt::kLogLevel,
    config::Opt::kLogFile,    config::Opt::kApiBaseUrl, config::Opt::kBucketEndpoint,
    config::Opt::kAwsProfile, config::Opt::kR2Endpoint, config::Opt::kGcsEndpoint};

/// How many words a command takes behind its options, and the sentence for another number.
struct WordCount {
  std::size_t count;
  const char* otherwise;
};

/// What the commands that only ask the API have in common: arguments read, settings loaded, the API
/// ready.
struct ApiCall {
  config::Settings settings;
  std::unique_ptr<capture::Engine> engine;
  std::unique_ptr<api::PcapsApi> api;
  std::vector<std::string> words;  ///< as many as WordCount says

  /// `extra` is what the command takes beside settings. A wrong command line is told before a
  /// missing token.
  static Result<ApiCall> Prepare(int argc, char** argv, const config::CommandHelp& help,
                                 const WordCount& words,
                                 std::span<const config::ExtraArgument> extra = {});

  /// A person waits: faults are borne for 5 s.
  api::Patience patience() const;
};

}  // namespace cloudflaredump::tool
