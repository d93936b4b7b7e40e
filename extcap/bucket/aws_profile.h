// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"
#include "extcap/bucket/aws_file.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::bucket {

/// The settings of one profile in AWS's shared files.
struct AwsProfile {
  std::string name = {};
  bool exists = false;           ///< In either file.
  AwsValues config = {};         ///< What the configuration file says of it.
  AwsValues credentials = {};    ///< What the credentials file says of it.
  std::string s3_endpoint = {};  ///< `endpoint_url` for s3 of its `services` section.

  /// The value for `key`, empty if there is none; what the credentials file says wins.
  std::string Get(std::string_view key) const;
};

/// Reads profile `name` from the texts of both files. In the configuration file its section is
/// `[profile NAME]`, or `[default]`; in the credentials file `[NAME]`. Format: AWS SDKs and Tools
/// Reference Guide, "Shared config and credentials files", and botocore where that is silent.
AwsProfile ParseAwsProfile(std::string_view credentials, std::string_view config,
                           const std::string& name);

/// What AWS's environment and files say, but for keys.
struct AwsSettings {
  AwsProfile profile = {};
  bool given = false;  ///< The profile was named by --aws-profile: variables count less.
  bool named = false;  ///< It was named there, by AWS_PROFILE or by AWS_DEFAULT_PROFILE.
  std::string credentials_file = {};  ///< For sentences.
  std::string region = {};    ///< AWS_REGION, AWS_DEFAULT_REGION, the profile's; empty if none.
  std::string endpoint = {};  ///< For S3: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's.
  std::string ca_file = {};   ///< AWS_CA_BUNDLE, the profile's ca_bundle; empty if none.
};

/// Reads them for `given`, the profile of --aws-profile; empty for AWS_PROFILE, AWS_DEFAULT_PROFILE
/// or "default". The files are those that AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name,
/// else ~/.aws/credentials and ~/.aws/config. A profile that is not there is no Error.
Result<AwsSettings> ReadAwsSettings(const std::string& given,
                                    const system::Environment& environment);

/// How a profile gets its keys, as AWS's tools choose it.
struct KeyWay {
  /// Null for keys that stand in the files as they are, and for a profile that says nothing; else
  /// for a sentence: "by single sign-on".
  const char* words = nullptr;
  const AwsValues* keys = nullptr;  ///< Where its static keys stand; null if it has none.
};

/// A role, a web identity and single sign-on come before keys of the credentials file; a log-in and
/// credential_process before those of the configuration file. Source: botocore's credentials.py.
KeyWay KeyWayOf(const AwsSettings& settings, const system::Environment& environment);

}  // namespace cloudflaredump::bucket
