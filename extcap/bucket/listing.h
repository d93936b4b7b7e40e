// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace cloudflaredump::bucket {

/// One object of a bucket, or one file of a folder.
struct StoredObject {
  std::string key = {};  ///< Any bytes. For a folder: the path below it.
  std::uint64_t size = 0;
  std::string etag = {};  ///< As the store writes it, quotes included; empty if it gave none.
  bool link = false;      ///< A symbolic link in a folder, which is not followed.

  bool operator==(const StoredObject&) const = default;
};

/// One answer to ListObjectsV2.
struct ListingPage {
  std::vector<StoredObject> objects = {};
  bool truncated = false;               ///< More keys follow.
  std::string continuation_token = {};  ///< Empty if the server gave none.
};

/// Reads the XML of ListObjectsV2. Keys are decoded if the answer says that they are URL-encoded.
/// Error: not XML, another document, an object without a key or size; kPassing where the next try
/// may bring a listing.
Result<ListingPage> ParseListing(std::string_view xml);

}  // namespace cloudflaredump::bucket
