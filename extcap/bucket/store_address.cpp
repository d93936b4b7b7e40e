// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_address.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/http/http.h"
#include "extcap/http/url.h"

namespace cloudflaredump::bucket {
namespace {

constexpr const char* kGoogle = "storage.googleapis.com";
constexpr const char* kR2 = ".r2.cloudflarestorage.com";

/// The endpoint's scheme, host and path without slashes at its end.
Result<std::string> CheckEndpoint(const std::string& endpoint) {
  const std::optional<http::Url> url = http::ParseUrl(endpoint);
  if (!url || (url->scheme != "https" && url->scheme != "http") ||
      endpoint.find_first_of("?#@") != std::string::npos) {
    // What stands before an @ or after a ? may be a key.
    const bool plain = endpoint.find_first_of("?#@") == std::string::npos;
    return Fail("the endpoint of the bucket must be a URL such as https://s3.example.com" +
                    (plain ? ", not \"" + CleanLine(endpoint, 120) + "\"" : std::string()),
                Error::Kind::kUsage);
  }
  std::string base = endpoint;
  while (base.ends_with('/')) base.pop_back();
  return base;
}

/// The regions of Amazon that have a domain or resource names of their own. Source: botocore's
/// partitions.json.
struct Partition {
  const char* regions;  ///< What their names begin with.
  const char* name;
  const char* domain;
};
constexpr Partition kPartitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn"},       {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"eusc-", "aws-eusc", "amazonaws.eu"},       {"us-iso-", "aws-iso", "c2s.ic.gov"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},  {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"}, {"", "aws", "amazonaws.com"},
};

const Partition& PartitionOf(std::string_view region) {
  return *std::ranges::find_if(
      kPartitions, [&](const Partition& one) { return region.starts_with(one.regions); });
}

StoreAddress AmazonAddress(const std::string& bucket, const std::string& region) {
  const std::string domain = "s3." + region + "." + PartitionOf(region).domain;
  const bool covered = bucket.find('.') == std::string::npos;
  return {.url = covered ? Format("https://%s.%s", bucket.c_str(), domain.c_str())
                         : Format("https://%s/%s", domain.c_str(), bucket.c_str()),
          .region = region};
}

/// Google and R2 have one region, whatever the environment says for Amazon's sake.
bool WantsAuto(const std::string& endpoint) {
  const std::optional<http::Url> url = http::ParseUrl(endpoint);
  return url && (url->host == kGoogle || url->host.ends_with(kR2));
}

}  // namespace

Result<StoreAddress> FindStore(const DestinationConf& conf, const std::string& endpoint,
                               const std::string& region) {
  const bool amazon = conf.kind == StoreKind::kS3;
  const std::string s3_region = conf.region.empty() ? region : conf.region;
  if (amazon && s3_region.empty()) {
    return Fail("the region of the bucket " + conf.bucket + " is not known",
                "write s3://" + conf.bucket + "?region=…, or set AWS_REGION");
  }
  if (!endpoint.empty()) {
    const Result<std::string> base = CheckEndpoint(endpoint);
    if (!base) return Failure(base);
    const std::string other = region.empty() || WantsAuto(*base) ? "auto" : region;
    return StoreAddress{.url = Format("%s/%s", base->c_str(), conf.bucket.c_str()),
                        .region = amazon ? s3_region : other,
                        .server = http::HostOf(*base)};
  }
  switch (conf.kind) {
    case StoreKind::kS3:
      return AmazonAddress(conf.bucket, s3_region);
    case StoreKind::kGcs:
      return StoreAddress{.url = Format("https://%s/%s", kGoogle, conf.bucket.c_str()),
                          .region = "auto"};
    case StoreKind::kR2:
      return StoreAddress{.url = Format("https://%s%s%s%s/%s", conf.account_id.c_str(),
                                        conf.jurisdiction.empty() ? "" : ".",
                                        conf.jurisdiction.c_str(), kR2, conf.bucket.c_str()),
                          .region = "auto"};
    case StoreKind::kFolder:
      break;
  }
  return Fail("a folder has no address");
}

const char* AmazonPartition(std::string_view region) {
  return PartitionOf(region).name;
}

std::string ObjectPath(std::string_view key) {
  return "/" + PercentEncode(key, "/");
}

std::string CanonicalQuery(std::vector<std::pair<std::string, std::string>> parameters) {
  std::ranges::sort(parameters);
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (!query.empty()) query += '&';
    query.append(PercentEncode(name)).append("=").append(PercentEncode(value));
  }
  return query;
}

}  // namespace cloudflaredump::bucket
