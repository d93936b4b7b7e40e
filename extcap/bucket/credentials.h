// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "common/result.h"
#include "extcap/bucket/destination_conf.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::bucket {

/// What proves to a store who reads. Secret: never logged.
struct BucketKeys {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};  ///< Empty if none.
  std::string bearer_token = {};   ///< Google only; then the others are empty.
  std::string region = {};         ///< That the same source names; empty if none.
  std::string source = {};  ///< Where from, as messages say it: "AWS_ACCESS_KEY_ID", a profile.
};

/// The keys for reading `conf`'s store: those in an r2:// address; for gs:// the token in
/// GOOGLE_OAUTH_ACCESS_TOKEN; `given` (from the configuration, say) if it has a pair;
/// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the profile AWS_PROFILE, else "default", of the
/// files that AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name, else ~/.aws/credentials and
/// ~/.aws/config. Only keys that stand there as they are: for a profile with single sign-on, a role
/// or a program the Error says how to export them. Registers secrets with RegisterSecret.
Result<BucketKeys> FindBucketKeys(const DestinationConf& conf, const BucketKeys& given,
                                  const system::Environment& environment);

}  // namespace cloudflaredump::bucket
