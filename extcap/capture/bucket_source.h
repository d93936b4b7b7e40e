// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "extcap/bucket/bucket.h"
#include "extcap/capture/capture_context.h"

namespace cloudflaredump::capture {

/// Where the files of a full capture are read.
struct FilesPlace {
  std::unique_ptr<bucket::Bucket> bucket;
  std::string folder;  ///< of a folder on this machine, whose files need no fetching; else empty
};

/// The place where the files of a full capture are read: --read-from if it is given, else where
/// Cloudflare writes (`destination_conf`), with the keys of configuration and environment. Faults
/// of listings are retried for `patience`. An Error if originals were to be kept where they are
/// read.
Result<FilesPlace> OpenSource(const CaptureContext& context, const std::string& destination_conf,
                              Duration patience);

/// The same for a capture that this run did not ask for: its files are where the API says (else
/// where the settings say). A folder of this machine comes from the user alone, never from the API.
Result<FilesPlace> OpenSourceOf(const CaptureContext& context, const api::PcapJob& job);

/// An Error if writing to `path` would overwrite a file that this capture reads: one of the folder
/// that the settings name, by its path, by a link to it or as the same file. `option` is named.
Result<void> CheckNotRead(const config::Settings& settings, const std::string& path,
                          const char* option);

/// What `settings` say of buckets: keys for each store, endpoints, the AWS profile. The API token
/// may be a key of R2, too; for that `api` is asked. The tools of stores' vendors, and the API, are
/// waited for until `stop` asks for more than to go on. `api` and `stop` must outlive what is
/// opened with it.
bucket::BucketSettings BucketSettingsOf(const config::Settings& settings, api::PcapsApi& api,
                                        system::StopRequests& stop, Duration patience);

}  // namespace cloudflaredump::capture
