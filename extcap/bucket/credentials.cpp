// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/credentials.h"

#include <glib.h>

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/aws_profile.h"

namespace cloudflaredump::bucket {
namespace {

std::string Value(const system::Environment& environment, const char* name) {
  const char* const value = environment(name);
  return value == nullptr ? std::string() : std::string(Trim(value));
}

bool HasPair(const BucketKeys& keys) {
  return !keys.access_key_id.empty() && !keys.secret_access_key.empty();
}

BucketKeys Registered(BucketKeys keys) {
  RegisterSecret(keys.secret_access_key);
  RegisterSecret(keys.session_token);
  RegisterSecret(keys.bearer_token);
  return keys;
}

/// `name` of AWS's folder in the home directory, unless `variable` names another file.
std::string SharedFile(const system::Environment& environment, const char* variable,
                       const char* name) {
  std::string file = Value(environment, variable);
  if (!file.empty()) return file;
  return system::HomeFolder(environment) + "/.aws/" + name;
}

/// How a profile without keys of its own gets them, or null if it does not say.
const char* HowKeysAreMade(const AwsProfile& profile) {
  struct Way {
    const char* key;
    const char* words;
  };
  static constexpr Way kWays[] = {
      {"sso_session", "by single sign-on"},
      {"sso_start_url", "by single sign-on"},
      {"login_session", "by a console log-in"},
      {"credential_process", "from a program"},
      {"role_arn", "by assuming a role"},
      {"source_profile", "from another profile"},
      {"credential_source", "from the machine it runs on"},
      {"web_identity_token_file", "with a web identity"},
  };
  const auto* const way =
      std::ranges::find_if(kWays, [&](const Way& one) { return !profile.Get(one.key).empty(); });
  return way == std::end(kWays) ? nullptr : way->words;
}

std::unexpected<Error> NoKeys(const DestinationConf& conf, const std::string& file) {
  std::string ways =
      "set aws-access-key-id and aws-secret-access-key in the configuration file, or "
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in " +
      CleanLine(file);
  if (conf.kind == StoreKind::kGcs) {
    ways =
        "set GOOGLE_OAUTH_ACCESS_TOKEN (gcloud auth print-access-token prints one), or give an "
        "HMAC key: " +
        ways;
  }
  return Fail(std::string("there are no keys to read the bucket ") + conf.bucket + " of " +
                  StoreName(conf.kind),
              std::string("") + ways);
}

Result<BucketKeys> KeysOfProfile(const DestinationConf& conf,
                                 const system::Environment& environment) {
  const std::string chosen = Value(environment, "AWS_PROFILE");
  const std::string file = SharedFile(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const Result<AwsProfile> profile =
      ReadAwsProfile(file, SharedFile(environment, "AWS_CONFIG_FILE", "config"),
                     chosen.empty() ? "default" : chosen);
  if (!profile) return Failure(profile);
  const std::string name = CleanLine(profile->name, 80);
  BucketKeys keys{.access_key_id = profile->Get("aws_access_key_id"),
                  .secret_access_key = profile->Get("aws_secret_access_key"),
                  .session_token = profile->Get("aws_session_token"),
                  .region = profile->Get("region"),
                  .source = "the AWS profile " + name};
  if (HasPair(keys)) return keys;
  if (const char* const how = HowKeysAreMade(*profile)) {
    return Fail(
        "the AWS profile " + name + " gets its keys " + how + ", which only AWS's own tools can do",
        "run: eval \"$(aws configure "
        "export-credentials --profile " +
            name + " --format env)\", and start again from that shell");
  }
  if (chosen.empty()) return NoKeys(conf, file);
  return Fail(profile->values.empty()
                  ? "there is no AWS profile " + name + ", which AWS_PROFILE names; look into " +
                        CleanLine(file)
                  : "the AWS profile " + name +
                        " has no aws_access_key_id with aws_secret_access_key; look into " +
                        CleanLine(file));
}

}  // namespace

Result<BucketKeys> FindBucketKeys(const DestinationConf& conf, const BucketKeys& given,
                                  const system::Environment& environment) {
  if (conf.kind == StoreKind::kFolder) return BucketKeys{};
  std::string region = Value(environment, "AWS_REGION");
  if (region.empty()) region = Value(environment, "AWS_DEFAULT_REGION");
  if (!conf.access_key_id.empty()) {
    return Registered({.access_key_id = conf.access_key_id,
                       .secret_access_key = conf.secret_access_key,
                       .region = region,
                       .source = "the r2:// address"});
  }
  if (conf.kind == StoreKind::kGcs) {
    const std::string token = Value(environment, "GOOGLE_OAUTH_ACCESS_TOKEN");
    if (!token.empty()) {
      BucketKeys keys;
      keys.bearer_token = token;
      keys.source = "GOOGLE_OAUTH_ACCESS_TOKEN";
      return Registered(std::move(keys));
    }
  }
  BucketKeys keys = given;
  if (!HasPair(keys)) {
    keys = {.access_key_id = Value(environment, "AWS_ACCESS_KEY_ID"),
            .secret_access_key = Value(environment, "AWS_SECRET_ACCESS_KEY"),
            .session_token = Value(environment, "AWS_SESSION_TOKEN"),
            .source = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
  }
  if (!HasPair(keys)) {
    Result<BucketKeys> of_profile = KeysOfProfile(conf, environment);
    if (!of_profile) return of_profile;
    keys = std::move(*of_profile);
  }
  if (!region.empty()) keys.region = region;
  return Registered(std::move(keys));
}

}  // namespace cloudflaredump::bucket
