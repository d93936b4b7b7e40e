// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/key_source.h"

#include <algorithm>

namespace cloudflaredump::bucket {

Result<BucketKeys> KeySource::At(WallTime now) {
  // Keys that end sooner than they are to be renewed would be asked for with each request.
  constexpr Duration kBetweenTries = std::chrono::minutes(1);
  if (renew_ && keys_.renew_at && now >= *keys_.renew_at) {
    Result<BucketKeys> renewed = renew_(now);
    if (renewed) {
      keys_ = *std::move(renewed);
    } else {
      last_ = renewed.error();
      if (last_.kind == Error::Kind::kInterrupted) return renewed;
    }
    if (keys_.renew_at) keys_.renew_at = std::max(*keys_.renew_at, now + kBetweenTries);
  }
  if (!keys_.ends_at || now < *keys_.ends_at) return keys_;
  Error error = last_;
  if (error.what.empty()) error.what = "the keys from " + keys_.source + " have ended";
  error.kind = Error::Kind::kPassing;
  return std::unexpected(std::move(error));
}

}  // namespace cloudflaredump::bucket
