// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/engine.h"

#include <glib.h>

#include <cerrno>
#include <cstdlib>

#include "extcap/base/text.h"
#include "extcap/base/version.h"
#include "extcap/system/log.h"

namespace cloudflaredump {
namespace {

constexpr double kFastest = 1000000;

/// The endpoints that these settings name; a bucket's own is checked when it is opened.
std::vector<std::string> Endpoints(const Settings& settings, const Environment& environment) {
  std::vector<std::string> endpoints = {settings.Text(Opt::kApiBaseUrl)};
  if (const std::string& bucket = settings.Text(Opt::kBucketEndpoint); !bucket.empty()) {
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
Result<void> OpenLogOf(const Settings& settings) {
  const std::string& path = settings.Text(Opt::kLogFile);
  if (path.empty()) return {};
  return OpenLog(ParseLogLevel(settings.Text(Opt::kLogLevel)).value_or(LogLevel::kInfo), path);
}

}  // namespace

Result<double> ReadSpeed(const Settings& settings, const Environment& environment) {
  const char* const text = environment("CLOUDFLAREDUMP_SPEED");
  if (text == nullptr || *text == '\0') return 1;
  char* end = nullptr;
  const double speed = g_ascii_strtod(text, &end);
  if (*end != '\0' || !(speed >= 1) || speed > kFastest) {
    return Fail(Format("CLOUDFLAREDUMP_SPEED is \"%s\", but it must be a number from 1 to %.0f.",
                       CleanLine(text, 40).c_str(), kFastest),
                Error::Kind::kUsage);
  }
  for (const std::string& endpoint : Endpoints(settings, environment)) {
    if (auto allowed = CheckSpeed(speed, endpoint); !allowed) {
      return std::unexpected(allowed.error());
    }
  }
  return speed;
}

Result<std::unique_ptr<Engine>> Engine::Make(const Settings& settings,
                                             const Environment& environment) {
  if (auto opened = OpenLogOf(settings); !opened) return std::unexpected(opened.error());
  auto speed = ReadSpeed(settings, environment);
  if (!speed) return std::unexpected(speed.error());
  Log(LogLevel::kInfo, "%s", kApplication);
  for (const Option& option : AllOptions()) {
    const Setting& setting = settings.At(option.id);
    if (setting.source == Source::kNone) continue;
    Log(LogLevel::kDebug, "%s = %s (%s)", option.name, ShownValue(option, setting.value).c_str(),
        setting.where.c_str());
  }
  return std::make_unique<Engine>(*speed);
}

Result<ApiAccess> FindAccess(const Settings& settings) {
  auto credentials = FindCredentials(settings);
  if (!credentials) return std::unexpected(credentials.error());
  auto account = FindAccount(settings);
  if (!account) return std::unexpected(account.error());
  std::string base = settings.Text(Opt::kApiBaseUrl);
  while (base.ends_with('/')) base.pop_back();
  return ApiAccess{.base_url = base,
                   .account_id = *account,
                   .token = credentials->token,
                   .email = credentials->email,
                   .key = credentials->key};
}

}  // namespace cloudflaredump
