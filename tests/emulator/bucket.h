// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// A destination_conf, taken apart: s3://BUCKET[/DIRECTORY]?region=REGION, gs://BUCKET[/DIRECTORY],
/// r2://BUCKET[/DIRECTORY]?account-id=…[&access-key-id=…&secret-access-key=…] as documented, and
/// file:///FOLDER, which only the emulator knows.
struct Destination {
  std::string scheme{};
  std::string bucket{};     ///< Empty for folders.
  std::string directory{};  ///< Without slashes at its ends; a folder's absolute path.
  std::map<std::string, std::string> parameters{};

  bool HasKeys() const;
};

/// The error is the end of a sentence about destination_conf, without keys in it.
Outcome<Destination> ParseDestination(const std::string& destination_conf);

/// The conf without R2's access-key-id and secret-access-key: the name by which a bucket is known.
std::string WithoutKeys(const std::string& destination_conf);

/// Writes one object below the destination's directory: to the folder, or with a signed PUT to the
/// S3 server that AWS_ENDPOINT_URL_S3 (else AWS_ENDPOINT_URL) names, with the credentials of AWS_*
/// or those that an R2 destination brings. AWS_REGION wins over the conf's region. May be called
/// from any thread; gives up when `cancelled` becomes true.
Outcome<void> WriteObject(const Destination& destination, const std::string& name,
                          const std::string& bytes, const std::atomic<bool>& cancelled);

}  // namespace cloudflare_emulator
