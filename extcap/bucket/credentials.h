// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "common/result.h"
#include "extcap/bucket/destination_conf.h"
#include "extcap/bucket/key_source.h"
#include "extcap/bucket/vendor_tool.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::bucket {

/// What options and configuration say of keys: for each store its own, never another's.
struct KeySettings {
  BucketKeys s3 = {};  ///< Empty if none, as the next two.
  BucketKeys r2 = {};
  BucketKeys gcs = {};
  std::string aws_profile = {};  ///< --aws-profile; empty if none.
  std::string api_token = {};    ///< Cloudflare's, which may also have rights on R2.
  /// The id of `api_token`, asked of Cloudflare; `account_id` is the bucket's.
  std::function<Result<std::string>(const std::string& account_id)> token_id = {};
  ToolAccess tool = {};
};

/// Keys for a store, and what else was found with them.
struct StoreKeys {
  KeySource keys = KeySource({});
  std::string region = {};    ///< That AWS's environment or files name; empty if none.
  std::string endpoint = {};  ///< For S3, that AWS's environment or files name; empty if none.
  std::string ca_file = {};   ///< For S3, of AWS_CA_BUNDLE or a profile; empty if none.
};

/// The keys for reading `conf`'s store, the first of:
/// - s3: `settings.s3`; the profile --aws-profile; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the
///   profile of AWS_PROFILE, AWS_DEFAULT_PROFILE or "default"; what AWS's own tool finds, for
///   everything that does not stand in a file as it is.
/// - gs: `settings.gcs`; GOOGLE_OAUTH_ACCESS_TOKEN; a pair that is set for S3 but has Google's
///   shape (GOOG…); gcloud.
/// - r2: the address; `settings.r2`; a pair that is set for S3, or stands in a profile that was
///   named, but has R2's shape (32 hex digits); the API token itself.
/// Registers secrets with RegisterSecret. Error: none, with what to do; keys of another store.
Result<StoreKeys> FindStoreKeys(const DestinationConf& conf, const KeySettings& settings,
                                const system::Environment& environment, WallTime now);

/// The pair that R2 knows an API token by: its id, and the SHA-256 of the token. Source:
/// Cloudflare's R2 documentation, "Authentication".
BucketKeys R2KeysOfToken(const std::string& id, const std::string& token);

}  // namespace cloudflaredump::bucket
