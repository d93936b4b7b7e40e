// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/settled_listing.h"

namespace cloudflaredump::bucket {

Result<SettledListing> WaitForSettledListing(Bucket& bucket, system::EventLoop& loop,
                                             const std::string& needle, const SettlePolicy& policy,
                                             const std::function<bool()>& stop) {
  const system::SteadyTime end = loop.Steady() + policy.max_wait;
  std::optional<std::vector<StoredObject>> before;
  for (;;) {
    Result<std::vector<StoredObject>> now = bucket.List(needle, stop);
    if (!now) return Failure(now);
    const bool counts = !policy.expect_objects || !now->empty();
    if (counts && before && SameKeysAndSizes(*before, *now)) {
      return SettledListing{.objects = std::move(*now), .settled = true};
    }
    if (before && loop.Steady() + policy.pause > end) {
      return SettledListing{.objects = std::move(*now), .settled = false};
    }
    before = std::move(*now);
    if (loop.RunUntil(stop, loop.Steady() + policy.pause)) {
      return Stopped();
    }
  }
}

}  // namespace cloudflaredump::bucket
