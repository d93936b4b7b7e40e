// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/engine.h"

#include <glib.h>

#include <cerrno>
#include <cstdlib>

#include "common/text.h"
#include "common/version.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

constexpr double kFastest = 1000000;

/// The endpoints that these settings name; a bucket's own is checked when it is opened.
std::vector<std::string> Endpoints(const config::Settings& settings,
                                   const system::Environment& environment) {
  std::vector<std::string> endpoints = {settings.Text(config::Opt::kApiBaseUrl)};
  if (const std::string& bucket = settings.Text(config::Opt::kBucketEndpoint); !bucket.empty()) {
    endpoints.push_back(bucket);
  }
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (const char* url = environment(name); url != nullptr && *url != '\0') {
      endpoints.emplace_back(url);
    }
  }
  return endpoints;
}

/// Opens the log that `settings` name, if they name one.
Result<void> OpenLogOf(const config::Settings& settings) {
  const std::string& path = settings.Text(config::Opt::kLogFile);
  if (path.empty()) return {};
  if (auto apart = CheckNotRead(settings, path, "log-file"); !apart) return apart;
  return system::OpenLog(system::ParseLogLevel(settings.Text(config::Opt::kLogLevel))
                             .value_or(system::LogLevel::kInfo),
                         path);
}

}  // namespace

Result<double> ReadSpeed(const config::Settings& settings, const system::Environment& environment) {
  const char* const text = environment("CLOUDFLAREDUMP_SPEED");
  if (text == nullptr || *text == '\0') return 1;
  char* end = nullptr;
  const double speed = g_ascii_strtod(text, &end);
  if (*end != '\0' || !(speed >= 1) || speed > kFastest) {
    return Fail(Format("CLOUDFLAREDUMP_SPEED is \"%s\", but it must be a number from 1 to %.0f",
                       CleanLine(text, 40).c_str(), kFastest),
                Error::Kind::kUsage);
  }
  for (const std::string& endpoint : Endpoints(settings, environment)) {
    if (auto allowed = http::CheckSpeed(speed, endpoint); !allowed) {
      return Failure(allowed);
    }
  }
  return speed;
}

Result<std::unique_ptr<Engine>> Engine::Make(const config::Settings& settings,
                                             const system::Environment& environment) {
  if (auto opened = OpenLogOf(settings); !opened) return Failure(opened);
  auto speed = ReadSpeed(settings, environment);
  if (!speed) return Failure(speed);
  system::Log(system::LogLevel::kInfo, "%s", kApplication);
  for (const config::Option& option : config::AllOptions()) {
    const config::Setting& setting = settings.At(option.id);
    if (setting.source == config::Source::kNone) continue;
    system::Log(system::LogLevel::kDebug, "%s = %s (%s)", option.name,
                config::ShownValue(option, setting.value).c_str(), setting.where.c_str());
  }
  return std::make_unique<Engine>(*speed);
}

Result<api::ApiAccess> FindAccess(const config::Settings& settings) {
  auto credentials = config::FindCredentials(settings);
  if (!credentials) return Failure(credentials);
  auto account = config::FindAccount(settings);
  if (!account) return Failure(account);
  std::string base = settings.Text(config::Opt::kApiBaseUrl);
  while (base.ends_with('/')) base.pop_back();
  return api::ApiAccess{.base_url = base,
                        .account_id = *account,
                        .token = credentials->token,
                        .email = credentials->email,
                        .key = credentials->key};
}

}  // namespace cloudflaredump::capture
