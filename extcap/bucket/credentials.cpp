// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/credentials.h"

#include <glib.h>

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/aws_cli.h"
#include "extcap/bucket/aws_profile.h"
#include "extcap/bucket/gcloud.h"

namespace cloudflaredump::bucket {
namespace {

constexpr const char* kAwsPair = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

BucketKeys Registered(BucketKeys keys) {
  RegisterSecret(keys.secret_access_key);
  RegisterSecret(keys.session_token);
  RegisterSecret(keys.bearer_token);
  return keys;
}

/// Whether `id` is an access key id of Amazon's, of a user or of temporary keys.
bool IsAmazonId(std::string_view id) {
  return id.starts_with("AKIA") || id.starts_with("ASIA");
}

bool IsR2Id(const std::string& id) {
  return id.size() == 32 && std::ranges::all_of(id, [](char c) { return g_ascii_isxdigit(c); });
}

bool IsGoogleId(std::string_view id) {
  return id.starts_with("GOOG");
}

BucketKeys AwsPairOf(const system::Environment& environment) {
  return {.access_key_id = system::TrimmedValue(environment, "AWS_ACCESS_KEY_ID"),
          .secret_access_key = system::TrimmedValue(environment, "AWS_SECRET_ACCESS_KEY"),
          .session_token = system::TrimmedValue(environment, "AWS_SESSION_TOKEN"),
          .source = kAwsPair};
}

std::unexpected<Error> NoKeys(const DestinationConf& conf, std::string remedy,
                              const std::string& said = {}, const std::string& note = {}) {
  // An endpoint may lead elsewhere than to Amazon.
  const std::string name = conf.kind == StoreKind::kS3
                               ? "the S3 bucket " + conf.bucket
                               : "the bucket " + conf.bucket + " of " + StoreName(conf.kind);
  return std::unexpected(Error{.what = "there are no keys to read " + name + note,
                               .remedy = std::move(remedy),
                               .said = said});
}

/// Amazon's ways to keys, as AWS's own tools go them.
class AmazonKeys {
 public:
  AmazonKeys(const DestinationConf& conf, const KeySettings& settings,
             const system::Environment& environment, AwsSettings aws)
      : conf_(conf), settings_(settings), environment_(environment), aws_(std::move(aws)) {}

  Result<KeySource> Find() const {
    if (settings_.s3.HasPair()) return Static(settings_.s3);
    if (!aws_.given) {
      const BucketKeys keys = AwsPairOf(environment_);
      if (keys.HasPair()) return Static(keys);
      if (!keys.access_key_id.empty()) {
        return Fail("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", "set both");
      }
    }
    return OfProfile();
  }

 private:
  static Result<KeySource> Static(BucketKeys keys) {
    if (keys.access_key_id.starts_with("ASIA") && keys.session_token.empty()) {
      return Fail("the access key ID from " + keys.source +
                      " is one of temporary keys (ASIA…), but the session token that belongs to "
                      "them is missing",
                  "set it too: AWS_SESSION_TOKEN, aws_session_token in a profile, or "
                  "aws-session-token in the configuration file");
    }
    return KeySource(Registered(std::move(keys)));
  }

  Result<KeySource> OfProfile() const {
    const std::string name = CleanLine(aws_.profile.name, 80);
    const KeyWay way = KeyWayOf(aws_, environment_);
    if (aws_.named && !aws_.profile.exists) {
      return Fail("there is no AWS profile " + name,
                  "look into " + CleanLine(aws_.credentials_file));
    }
    if (way.keys != nullptr) return InFile(*way.keys, name);
    const KeySource::Renew ask = [aws = aws_, words = way.words, tool = settings_.tool](WallTime) {
      return KeysOfAwsTool(aws, words, tool);
    };
    Result<BucketKeys> keys = KeysOfAwsTool(aws_, way.words, settings_.tool);
    if (keys) return KeySource(*std::move(keys), ask);
    if (way.words != nullptr || keys.error().kind == Error::Kind::kInterrupted) {
      return Failure(keys);
    }
    return Nowhere(name, keys.error());
  }

  Result<KeySource> InFile(const AwsValues& values, const std::string& name) const {
    const auto value = [&](const char* key) {
      const auto found = values.find(key);
      return found == values.end() ? std::string() : found->second;
    };
    BucketKeys keys{.access_key_id = value("aws_access_key_id"),
                    .secret_access_key = value("aws_secret_access_key"),
                    .session_token = value("aws_session_token"),
                    .source = "the AWS profile " + name};
    if (keys.session_token.empty()) keys.session_token = value("aws_security_token");
    if (keys.HasPair()) return Static(std::move(keys));
    return Fail("the AWS profile " + name + " has no aws_access_key_id with aws_secret_access_key",
                "look into " + CleanLine(aws_.credentials_file));
  }

  /// Neither files nor AWS's tool, which may not be there, know keys.
  std::unexpected<Error> Nowhere(const std::string& name, const Error& of_tool) const {
    if (aws_.named) {
      return std::unexpected(
          Error{.what = "the AWS profile " + name +
                        " has no aws_access_key_id and names no other way to keys",
                .remedy = "look into " + CleanLine(aws_.credentials_file),
                .said = of_tool.said});
    }
    return NoKeys(
        conf_,
        "set aws-access-key-id and aws-secret-access-key, or aws-profile, in the "
        "configuration file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile "
        "in " +
            CleanLine(aws_.credentials_file),
        of_tool.said);
  }

  const DestinationConf& conf_;
  const KeySettings& settings_;
  const system::Environment& environment_;
  const AwsSettings aws_;
};

/// The pair of S3's settings or environment if it has the shape of another store's.
BucketKeys PairOfShape(const KeySettings& settings, const system::Environment& environment,
                       bool (*has_shape)(const std::string&)) {
  for (BucketKeys keys : {settings.s3, AwsPairOf(environment)}) {
    if (keys.HasPair() && has_shape(keys.access_key_id)) return Registered(std::move(keys));
  }
  return {};
}

/// For a sentence about missing keys: that there are some, for S3.
std::string NoteOfAws(const KeySettings& settings, const system::Environment& environment) {
  for (const BucketKeys& keys : {settings.s3, AwsPairOf(environment)}) {
    if (keys.HasPair()) return " (those from " + keys.source + " are for Amazon S3)";
  }
  return {};
}

Result<KeySource> GoogleKeys(const DestinationConf& conf, const KeySettings& settings,
                             const system::Environment& environment, WallTime now) {
  if (settings.gcs.HasPair()) {
    if (IsAmazonId(settings.gcs.access_key_id)) {
      return Fail("the access key ID from " + settings.gcs.source +
                      " is one of Amazon's (AKIA… or ASIA…), and is not shown to Google",
                  "use an HMAC key of Google Cloud Storage");
    }
    return KeySource(Registered(settings.gcs));
  }
  const std::string token = system::TrimmedValue(environment, "GOOGLE_OAUTH_ACCESS_TOKEN");
  if (!token.empty()) {
    return KeySource(Registered({.bearer_token = token, .source = "GOOGLE_OAUTH_ACCESS_TOKEN"}));
  }
  const BucketKeys shaped =
      PairOfShape(settings, environment, [](const std::string& id) { return IsGoogleId(id); });
  if (shaped.HasPair()) return KeySource(shaped);
  const bool application =
      !system::TrimmedValue(environment, "GOOGLE_APPLICATION_CREDENTIALS").empty();
  const KeySource::Renew ask = [application, tool = settings.tool](WallTime when) {
    return TokenOfGcloud(application, when, tool);
  };
  Result<BucketKeys> keys = ask(now);
  if (!keys && keys.error().kind == Error::Kind::kInterrupted) return Failure(keys);
  if (!keys) {
    return NoKeys(conf,
                  "run gcloud auth login, or set GOOGLE_OAUTH_ACCESS_TOKEN, or give an HMAC key: "
                  "gcs-access-key-id and gcs-secret-access-key in the configuration file, or "
                  "GCS_ACCESS_KEY_ID and GCS_SECRET_ACCESS_KEY",
                  ClauseOf(keys.error()), NoteOfAws(settings, environment));
  }
  return KeySource(*std::move(keys), ask);
}

/// Static keys of R2's shape in a profile that the user named; the unnamed one is Amazon's.
BucketKeys R2ProfileKeys(const AwsSettings& aws, const system::Environment& environment) {
  const KeyWay way = KeyWayOf(aws, environment);
  if (!aws.named || way.keys == nullptr) return {};
  BucketKeys keys{.access_key_id = aws.profile.Get("aws_access_key_id"),
                  .secret_access_key = aws.profile.Get("aws_secret_access_key"),
                  .session_token = aws.profile.Get("aws_session_token"),
                  .source = "the AWS profile " + CleanLine(aws.profile.name, 80)};
  return IsR2Id(keys.access_key_id) && keys.HasPair() ? keys : BucketKeys{};
}

Result<KeySource> R2Keys(const DestinationConf& conf, const KeySettings& settings,
                         const system::Environment& environment) {
  if (!conf.access_key_id.empty()) {
    return KeySource(Registered({.access_key_id = conf.access_key_id,
                                 .secret_access_key = conf.secret_access_key,
                                 .source = "the r2:// address"}));
  }
  if (settings.r2.HasPair()) {
    if (IsAmazonId(settings.r2.access_key_id)) {
      return Fail("the access key ID from " + settings.r2.source +
                      " is one of Amazon's (AKIA… or ASIA…), and is not shown to Cloudflare",
                  "use a key of R2, whose ID has 32 hexadecimal characters");
    }
    return KeySource(Registered(settings.r2));
  }
  BucketKeys keys =
      PairOfShape(settings, environment, [](const std::string& id) { return IsR2Id(id); });
  if (keys.HasPair()) return KeySource(std::move(keys));
  const bool named = !settings.aws_profile.empty() ||
                     !system::TrimmedValue(environment, "AWS_PROFILE").empty() ||
                     !system::TrimmedValue(environment, "AWS_DEFAULT_PROFILE").empty();
  if (const auto aws = named ? ReadAwsSettings(settings.aws_profile, environment)
                             : Result<AwsSettings>(AwsSettings{})) {
    keys = R2ProfileKeys(*aws, environment);
    if (keys.HasPair()) return KeySource(Registered(std::move(keys)));
  }
  constexpr const char* kRemedy =
      "set r2-access-key-id and r2-secret-access-key in the configuration file, or "
      "R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY, or give the API token Workers R2 Storage Read";
  const std::string note = NoteOfAws(settings, environment);
  if (settings.api_token.empty() || !settings.token_id) return NoKeys(conf, kRemedy, {}, note);
  const Result<std::string> id = settings.token_id(conf.account_id);
  if (!id && id.error().kind == Error::Kind::kInterrupted) return Failure(id);
  if (!id) return NoKeys(conf, kRemedy, ClauseOf(id.error()), note);
  return KeySource(Registered(R2KeysOfToken(*id, settings.api_token)));
}

}  // namespace

BucketKeys R2KeysOfToken(const std::string& id, const std::string& token) {
  char* const raw = g_compute_checksum_for_string(G_CHECKSUM_SHA256, token.data(),
                                                  static_cast<gssize>(token.size()));
  BucketKeys keys{.access_key_id = id, .secret_access_key = raw, .source = "the API token"};
  g_free(raw);
  return keys;
}

Result<StoreKeys> FindStoreKeys(const DestinationConf& conf, const KeySettings& settings,
                                const system::Environment& environment, WallTime now) {
  StoreKeys found;
  if (conf.kind == StoreKind::kFolder) return found;
  Result<KeySource> keys = KeySource({});
  if (conf.kind == StoreKind::kS3) {
    Result<AwsSettings> aws = ReadAwsSettings(settings.aws_profile, environment);
    if (!aws) return Failure(aws);
    found = {.region = aws->region, .endpoint = aws->endpoint, .ca_file = aws->ca_file};
    keys = AmazonKeys(conf, settings, environment, *std::move(aws)).Find();
  } else {
    found.region = system::TrimmedValue(environment, "AWS_REGION");
    if (found.region.empty()) {
      found.region = system::TrimmedValue(environment, "AWS_DEFAULT_REGION");
    }
    keys = conf.kind == StoreKind::kGcs ? GoogleKeys(conf, settings, environment, now)
                                        : R2Keys(conf, settings, environment);
  }
  if (!keys) return Failure(keys);
  found.keys = *std::move(keys);
  return found;
}

}  // namespace cloudflaredump::bucket
