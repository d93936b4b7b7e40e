// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/destination_conf.h"

#include <glib.h>

#include <algorithm>
#include <map>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

constexpr const char* kForms =
    "s3://BUCKET/DIRECTORY?region=REGION, gs://BUCKET/DIRECTORY or r2://BUCKET?account-id=ID";

std::unexpected<Error> Mistake(std::string message) {
  return Fail(std::move(message), Error::Kind::kUsage);
}

std::string Shown(std::string_view text) {
  return "\"" + CleanLine(RedactAddress(text), 120) + "\"";
}

/// An Error if there is something before an `@`, as other addresses have it. Registers what is
/// secret.
Result<void> CheckSecrets(std::string_view address) {
  RegisterSecretsIn(address);
  if (UserInfoOf(address).empty()) return {};
  return Mistake(
      "a bucket's address has nothing before an @; keys belong into the environment, the "
      "configuration file or ~/.aws");
}

using Parameters = std::map<std::string, std::string, std::less<>>;

Result<Parameters> ParseParameters(std::string_view query, const std::string& scheme) {
  Parameters parameters;
  for (const std::string_view piece : Split(query, '&')) {
    const std::size_t equals = piece.find('=');
    const std::string name(piece.substr(0, equals));
    if (equals == std::string_view::npos || equals + 1 == piece.size()) {
      return Mistake("the " + scheme + ":// address has the parameter " + Shown(name) +
                     " without a value");
    }
    const std::optional<std::string> value = PercentDecode(piece.substr(equals + 1));
    if (!value) {
      return Mistake("the value of " + Shown(name) + " in the " + scheme +
                     ":// address has a % that no two hex digits follow");
    }
    if (!parameters.emplace(name, *value).second) {
      return Mistake("the " + scheme + ":// address says " + Shown(name) + " twice");
    }
  }
  return parameters;
}

/// Takes `name` out of `parameters`; empty if it is not there.
std::string Take(Parameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return {};
  std::string value = std::move(found->second);
  parameters.erase(found);
  return value;
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return g_ascii_iscntrl(c); });
}

/// Letters, digits and hyphens only: it goes into a host name.
bool IsHostLabel(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         std::ranges::all_of(text, [](char c) { return g_ascii_isalnum(c) || c == '-'; });
}

/// The names that each store gives to buckets. A wrong one would be a host or path of another.
Result<void> CheckBucket(const std::string& bucket, StoreKind kind) {
  if (bucket.empty()) {
    return Mistake(std::string("the address names no bucket; it must be ") + kForms);
  }
  const std::string_view extra =
      kind == StoreKind::kS3 ? ".-" : (kind == StoreKind::kGcs ? "._-" : "-");
  const bool characters = std::ranges::all_of(bucket, [extra](char c) {
    return g_ascii_islower(c) || g_ascii_isdigit(c) || extra.find(c) != std::string_view::npos;
  });
  const std::size_t longest = kind == StoreKind::kGcs ? 222 : 63;
  if (!characters || bucket.size() < 3 || bucket.size() > longest ||
      !g_ascii_isalnum(bucket.front()) || !g_ascii_isalnum(bucket.back()) ||
      bucket.find("..") != std::string::npos) {
    return Mistake(Shown(bucket) + " is not a name that a bucket of " + StoreName(kind) +
                   " can have (lower-case letters, digits and hyphens, 3 to " +
                   std::to_string(longest) + " characters)");
  }
  return {};
}

Result<void> TakeS3(DestinationConf& conf, Parameters& parameters) {
  conf.region = Take(parameters, "region");
  if (!conf.region.empty() && !IsHostLabel(conf.region)) {
    return Mistake(Shown(conf.region) + " is not a region's name, such as us-east-1");
  }
  const std::string encryption = Take(parameters, "sse");
  if (!encryption.empty() && encryption != "AES256") {
    return Mistake("sse can only be AES256, not " + Shown(encryption));
  }
  return {};
}

Result<void> TakeR2(DestinationConf& conf, Parameters& parameters) {
  conf.account_id = Take(parameters, "account-id");
  conf.jurisdiction = Take(parameters, "jurisdiction");
  conf.access_key_id = Take(parameters, "access-key-id");
  conf.secret_access_key = Take(parameters, "secret-access-key");
  if (conf.account_id.empty()) {
    return Mistake("the r2:// address needs account-id=…, the account that the bucket belongs to");
  }
  if (!IsHostLabel(conf.account_id)) {
    return Mistake(Shown(conf.account_id) + " is not an account ID (32 hexadecimal characters)");
  }
  // R2 gets new ones from time to time.
  if (!conf.jurisdiction.empty() && !IsHostLabel(conf.jurisdiction)) {
    return Mistake(Shown(conf.jurisdiction) + " is not a jurisdiction of R2, such as eu");
  }
  if (conf.access_key_id.empty() != conf.secret_access_key.empty()) {
    return Mistake("the r2:// address needs access-key-id and secret-access-key, or neither");
  }
  return {};
}

Result<DestinationConf> ParseFileUrl(std::string_view rest) {
  constexpr std::string_view kThisHost = "localhost/";
  if (rest.starts_with(kThisHost)) rest.remove_prefix(kThisHost.size() - 1);
  if (!rest.starts_with('/')) {
    return Mistake("a file:// address is of this machine: file:///FOLDER, with three slashes");
  }
  std::optional<std::string> path = PercentDecode(rest);
  if (!path || HasControl(*path)) {
    return Mistake(Shown(rest) + " is not a path that a file:// address can hold");
  }
  while (path->size() > 1 && path->ends_with('/')) path->pop_back();
  return DestinationConf{.kind = StoreKind::kFolder, .directory = std::move(*path)};
}

Result<DestinationConf> ParseStoreUrl(StoreKind kind, const std::string& scheme,
                                      std::string_view rest) {
  DestinationConf conf{.kind = kind};
  const std::size_t question = rest.find('?');
  std::string_view place = rest.substr(0, question);
  const std::size_t slash = place.find('/');
  conf.bucket = place.substr(0, slash);
  if (const Result<void> good = CheckBucket(conf.bucket, kind); !good) {
    return Failure(good);
  }
  if (slash != std::string_view::npos) {
    place.remove_prefix(slash + 1);
    while (place.ends_with('/')) place.remove_suffix(1);
    conf.directory = place;
  }
  if (HasControl(rest)) return Mistake("the " + scheme + ":// address holds a line break");
  const bool asked = question != std::string_view::npos;
  Result<Parameters> parameters =
      ParseParameters(asked ? rest.substr(question + 1) : std::string_view(), scheme);
  if (!parameters) return Failure(parameters);
  Result<void> taken;
  if (kind == StoreKind::kS3) taken = TakeS3(conf, *parameters);
  if (kind == StoreKind::kR2) taken = TakeR2(conf, *parameters);
  if (!taken) return Failure(taken);
  if (!parameters->empty()) {
    return Mistake("the " + scheme + ":// address has the parameter " +
                   Shown(parameters->begin()->first) + ", which it cannot have");
  }
  return conf;
}

/// The address that `conf` was read from, but for its keys.
std::string AddressOf(const DestinationConf& conf) {
  const std::string place = conf.bucket + (conf.directory.empty() ? "" : "/") + conf.directory;
  switch (conf.kind) {
    case StoreKind::kS3:
      return "s3://" + place + (conf.region.empty() ? "" : "?region=" + conf.region);
    case StoreKind::kGcs:
      return "gs://" + place;
    case StoreKind::kR2:
      return "r2://" + place + "?account-id=" + conf.account_id +
             (conf.jurisdiction.empty() ? "" : "&jurisdiction=" + conf.jurisdiction);
    case StoreKind::kFolder:
      break;
  }
  return "file://" + PercentEncode(conf.directory, "/");
}

}  // namespace

const char* StoreName(StoreKind kind) {
  switch (kind) {
    case StoreKind::kS3:
      return "Amazon S3";
    case StoreKind::kGcs:
      return "Google Cloud Storage";
    case StoreKind::kR2:
      return "Cloudflare R2";
    case StoreKind::kFolder:
      break;
  }
  return "folder";
}

Result<DestinationConf> ParseDestinationConf(std::string_view text) {
  const std::string_view address = Trim(text);
  if (auto good = CheckSecrets(address); !good) return Failure(good);
  const std::size_t colon = address.find("://");
  if (colon == std::string_view::npos) {
    return Mistake(Shown(address) + " is not the address of a bucket; it must be " + kForms);
  }
  const std::string scheme(address.substr(0, colon));
  const std::string_view rest = address.substr(colon + 3);
  if (scheme == "file") return ParseFileUrl(rest);
  if (scheme == "gs") return ParseStoreUrl(StoreKind::kGcs, scheme, rest);
  if (scheme == "r2") return ParseStoreUrl(StoreKind::kR2, scheme, rest);
  if (scheme != "s3") {
    return Mistake(Shown(scheme + "://") + " is not a kind of bucket; it must be " + kForms);
  }
  Result<DestinationConf> conf = ParseStoreUrl(StoreKind::kS3, scheme, rest);
  if (conf && conf->region.empty()) {
    return Mistake("the s3:// address needs the bucket's region: s3://" + conf->bucket +
                   (conf->directory.empty() ? "" : "/" + CleanLine(conf->directory, 120)) +
                   "?region=us-east-1, say");
  }
  return conf;
}

Result<DestinationConf> ParseReadFrom(std::string_view text) {
  const std::string_view address = Trim(text);
  if (auto good = CheckSecrets(address); !good) return Failure(good);
  if (address.empty()) return Mistake("no bucket and no folder is named");
  if (address.starts_with("s3://")) {
    return ParseStoreUrl(StoreKind::kS3, "s3", address.substr(5));
  }
  if (address.find("://") != std::string_view::npos) return ParseDestinationConf(address);
  if (HasControl(address)) return Mistake("the path to read from holds a line break");
  std::string path(address);
  if (path == "~" || path.starts_with("~/")) path.replace(0, 1, g_get_home_dir());
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return DestinationConf{.kind = StoreKind::kFolder, .directory = std::move(path)};
}

std::string WithoutKeys(std::string_view destination_conf) {
  // To read from S3 no region is needed.
  const bool s3 = Trim(destination_conf).starts_with("s3://");
  const Result<DestinationConf> conf =
      s3 ? ParseReadFrom(destination_conf) : ParseDestinationConf(destination_conf);
  return conf ? AddressOf(*conf) : RedactAddress(destination_conf);
}

}  // namespace cloudflaredump::bucket
