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

/// The settings that matter to a command that only asks the API, and to one that also reads a
/// bucket. Bucket keys are not among them: they should not be typed here.
inline constexpr config::Opt kApiOptions[] = {config::Opt::kAccountId, config::Opt::kApiToken,
                                              config::Opt::kApiEmail,  config::Opt::kApiKey,
                                              config::Opt::kProfile,   config::Opt::kLogLevel,
                                              config::Opt::kLogFile,   config::Opt::kApiBaseUrl};
inline constexpr config::Opt kBucketOptions[] = {
    config::Opt::kAccountId,  config::Opt::kApiToken,   config::Opt::kApiEmail,
    config::Opt::kApiKey,     config::Opt::kProfile,    config::Opt::kLogLevel,
    config::Opt::kLogFile,    config::Opt::kApiBaseUrl, config::Opt::kBucketEndpoint,
    config::Opt::kAwsProfile, config::Opt::kR2Endpoint, config::Opt::kGcsEndpoint};

/// How many words a command takes after its options, and the clause for any other number.
struct WordCount {
  std::size_t count;
  const char* otherwise;
};

/// What the commands that only ask the API share: parsed arguments, loaded settings, the API.
struct ApiCall {
  config::Settings settings;
  std::unique_ptr<capture::Engine> engine;
  std::unique_ptr<api::PcapsApi> api;
  std::vector<std::string> words;  ///< as many as WordCount says

  /// Prepares all of it. `extra` is what the command takes besides settings. A wrong command line
  /// is reported before a missing token.
  static Result<ApiCall> Prepare(int argc, char** argv, const config::CommandHelp& help,
                                 const WordCount& words,
                                 std::span<const config::ExtraArgument> extra = {});

  /// Retries for 5 s only, as a person is waiting.
  api::Patience patience() const;
};

}  // namespace cloudflaredump::tool
