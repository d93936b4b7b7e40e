// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "extcap/bucket/destination_conf.h"

namespace cloudflaredump::bucket {

/// Where a bucket answers, and for which region requests to it are signed.
struct StoreAddress {
  std::string url = {};  ///< Of the bucket, without a slash at its end.
  std::string region = {};
  std::string server = {};   ///< Host and port of another server than the store's own, or empty.
  std::string ca_file = {};  ///< Certificate authorities for it alone; empty for the usual ones.
};

/// The address of `conf`'s bucket. `endpoint` is that of another S3-compatible server, empty for
/// the store's own. S3: virtual-host style where the store's certificate covers the name (a bucket
/// without dots), else path style; other endpoints: path style. `region` is what keys or
/// environment say: for S3 where `conf` has none; for gs and r2 on an endpoint that is not their
/// own (their own want "auto"). Error: no region known, or an endpoint that is not a URL.
Result<StoreAddress> FindStore(const DestinationConf& conf, const std::string& endpoint,
                               const std::string& region);

/// What stands for "aws" in the names (ARNs) of a region's resources: "aws-cn" in China.
const char* AmazonPartition(std::string_view region);

/// The path of `key` below a bucket's URL: all but unreserved characters and slashes encoded.
std::string ObjectPath(std::string_view key);

/// A query as a signature wants it: sorted by name, RFC 3986, always `name=`.
std::string CanonicalQuery(std::vector<std::pair<std::string, std::string>> parameters);

}  // namespace cloudflaredump::bucket
