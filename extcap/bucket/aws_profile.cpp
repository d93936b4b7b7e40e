// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_profile.h"

#include <glib.h>

#include <algorithm>
#include <initializer_list>

#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

std::string ValueIn(const AwsValues& values, std::string_view key) {
  const auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

/// The first of `values` that is not empty.
std::string FirstOf(std::initializer_list<std::string> values) {
  const auto* const found =
      std::ranges::find_if(values, [](const std::string& value) { return !value.empty(); });
  return found == values.end() ? std::string() : *found;
}

bool IsTrue(const std::string& text) {
  return g_ascii_strcasecmp(text.c_str(), "true") == 0;
}

/// `name` of AWS's folder in the home directory, unless `variable` names another file.
std::string SharedFile(const system::Environment& environment, const char* variable,
                       const char* name) {
  std::string file = system::TrimmedValue(environment, variable);
  if (file.empty()) return system::HomeFolder(environment) + "/.aws/" + name;
  if (file == "~" || file.starts_with("~/")) file.replace(0, 1, system::HomeFolder(environment));
  return file;
}

/// Whether the environment names a role to be taken with a web identity. It does not count beside
/// --aws-profile.
bool HasWebIdentity(const AwsSettings& settings, const system::Environment& environment) {
  return !settings.given && !system::TrimmedValue(environment, "AWS_ROLE_ARN").empty() &&
         !system::TrimmedValue(environment, "AWS_WEB_IDENTITY_TOKEN_FILE").empty();
}

}  // namespace

std::string AwsProfile::Get(std::string_view key) const {
  const auto found = credentials.find(key);
  return found == credentials.end() ? ValueIn(config, key) : found->second;
}

AwsProfile ParseAwsProfile(std::string_view credentials, std::string_view config,
                           const std::string& name) {
  AwsProfile profile{.name = name};
  const std::vector<AwsSection> sections = ParseAwsFile(config);
  for (const AwsSection& section : sections) {
    const bool unnamed = section.header == "default" && name == "default";
    if (!unnamed && NameInHeader(section.header, "profile") != name) continue;
    profile.exists = true;
    profile.config = section.values;
  }
  for (const AwsSection& section : ParseAwsFile(credentials)) {
    if (section.header != name) continue;
    profile.exists = true;
    profile.credentials = section.values;
  }
  const std::string services = profile.Get("services");
  for (const AwsSection& section : sections) {
    if (services.empty() || NameInHeader(section.header, "services") != services) continue;
    profile.s3_endpoint = NestedValue(ValueIn(section.values, "s3"), "endpoint_url");
  }
  return profile;
}

Result<AwsSettings> ReadAwsSettings(const std::string& given,
                                    const system::Environment& environment) {
  const auto variable = [&](const char* name) { return system::TrimmedValue(environment, name); };
  AwsSettings settings;
  const std::string name =
      FirstOf({given, variable("AWS_PROFILE"), variable("AWS_DEFAULT_PROFILE")});
  settings.given = !given.empty();
  settings.named = !name.empty();
  settings.credentials_file = SharedFile(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const Result<std::string> credentials = ReadAwsText(settings.credentials_file);
  if (!credentials) return Failure(credentials);
  const Result<std::string> config =
      ReadAwsText(SharedFile(environment, "AWS_CONFIG_FILE", "config"));
  if (!config) return Failure(config);
  settings.profile = ParseAwsProfile(*credentials, *config, name.empty() ? "default" : name);
  const AwsProfile& profile = settings.profile;
  settings.region =
      FirstOf({variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"), profile.Get("region")});
  settings.ca_file = FirstOf({variable("AWS_CA_BUNDLE"), profile.Get("ca_bundle")});
  if (!IsTrue(FirstOf({variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                       profile.Get("ignore_configured_endpoint_urls")}))) {
    settings.endpoint = FirstOf({variable("AWS_ENDPOINT_URL_S3"), variable("AWS_ENDPOINT_URL"),
                                 profile.s3_endpoint, profile.Get("endpoint_url")});
  }
  return settings;
}

KeyWay KeyWayOf(const AwsSettings& settings, const system::Environment& environment) {
  const AwsProfile& profile = settings.profile;
  const auto has = [&](const char* key) { return !profile.Get(key).empty(); };
  if (HasWebIdentity(settings, environment) ||
      (has("role_arn") && has("web_identity_token_file"))) {
    return {.words = "with a web identity"};
  }
  if (has("role_arn")) return {.words = "by assuming a role"};
  if (has("sso_account_id") || has("sso_role_name")) return {.words = "by single sign-on"};
  if (profile.credentials.contains("aws_access_key_id")) return {.keys = &profile.credentials};
  if (has("login_session")) return {.words = "by a console log-in"};
  if (has("credential_process")) return {.words = "from a program"};
  if (profile.config.contains("aws_access_key_id")) return {.keys = &profile.config};
  return {};
}

}  // namespace cloudflaredump::bucket
