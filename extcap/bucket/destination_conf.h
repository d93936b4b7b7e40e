// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::bucket {

/// The places where the files of a full capture can be.
enum class StoreKind : std::uint8_t { kS3, kGcs, kR2, kFolder };

/// "Amazon S3", "Google Cloud Storage", "Cloudflare R2", "folder": as messages name it.
const char* StoreName(StoreKind kind);

/// A place for capture files, as Cloudflare's `destination_conf` or `--read-from` says it.
/// Source of the forms: Cloudflare's "Set up a bucket" for packet captures; `sse` is from Logpush,
/// which writes the same buckets.
struct DestinationConf {
  StoreKind kind = StoreKind::kFolder;
  std::string bucket = {};
  /// What keys begin with, as written, without slashes at its end. For a folder: its path.
  std::string directory = {};
  std::string region = {};             ///< S3 only; empty if not said.
  std::string account_id = {};         ///< R2 only.
  std::string jurisdiction = {};       ///< R2 only, such as "eu"; empty for none.
  std::string access_key_id = {};      ///< R2 only; secret, empty if not said.
  std::string secret_access_key = {};  ///< R2 only; secret, empty if not said.
};

/// Reads where Cloudflare is to write: `s3://BUCKET[/DIRECTORY]?region=REGION`,
/// `gs://BUCKET[/DIRECTORY]`, `r2://BUCKET[/DIRECTORY]?account-id=…[&jurisdiction=…]
/// [&access-key-id=…&secret-access-key=…]`, and `file:///FOLDER` (which the emulator takes).
/// Parameters in any order; a name that is not known, twice, or without a value is an error
/// (kUsage). Registers secrets with RegisterSecret.
Result<DestinationConf> ParseDestinationConf(std::string_view text);

/// Reads where we are to read: the same, an s3:// without its region, or the path of a folder,
/// absolute, relative or from `~/`.
Result<DestinationConf> ParseReadFrom(std::string_view text);

/// The same place, written without keys and without what else does not tell it from another: to be
/// shown, compared, and used as an address again. What cannot be read is given as
/// RedactAddress gives it.
std::string WithoutKeys(std::string_view destination_conf);

}  // namespace cloudflaredump::bucket
