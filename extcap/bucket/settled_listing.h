// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/bucket/bucket.h"

namespace cloudflaredump::bucket {

/// What WaitForSettledListing waited for.
struct SettledListing {
  std::vector<StoredObject> objects;
  bool settled = false;  ///< False if the time was over first: more may come.
};

/// How patient WaitForSettledListing is.
struct SettlePolicy {
  Duration pause = std::chrono::seconds(5);  ///< Between two listings.
  Duration max_wait =
      std::chrono::minutes(15);  ///< From the call on; two listings are always made.
  /// Something must be there: listings without an object do not count.
  bool expect_objects = false;
};

/// Lists the objects of `needle` until two listings in a row agree in keys and sizes: objects
/// appear one by one after a capture, and a bucket does not say when it has all. The Errors are
/// those of Bucket::List.
Result<SettledListing> WaitForSettledListing(Bucket& bucket, system::EventLoop& loop,
                                             const std::string& needle, const SettlePolicy& policy,
                                             const std::function<bool()>& stop);

}  // namespace cloudflaredump::bucket
