// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>

#include "common/result.h"

namespace cloudflaredump::bucket {

/// The settings of one profile in AWS's shared files.
struct AwsProfile {
  std::string name;
  std::map<std::string, std::string> values;  ///< Empty if neither file has the profile.

  /// The value, empty if there is none.
  std::string Get(const std::string& key) const;
};

/// Reads profile `name` from both files; what the credentials file says wins. A file that is not
/// there counts as empty. Error: a file that cannot be read or is no key file; it shows no line of
/// the file. Format: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
Result<AwsProfile> ReadAwsProfile(const std::string& credentials_file,
                                  const std::string& config_file, const std::string& name);

}  // namespace cloudflaredump::bucket
