// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::bucket {

/// What proves to a store who reads. Secret: never logged.
struct BucketKeys {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};  ///< Empty if none.
  std::string bearer_token = {};   ///< Google only; then the others are empty.
  std::string source = {};  ///< Where from, as messages say it: "AWS_ACCESS_KEY_ID", a profile.
  std::optional<WallTime> renew_at = {};  ///< When new ones are to be got; nothing for static keys.
  std::optional<WallTime> ends_at = {};   ///< When the store stops taking them, if that is known.

  /// Whether there is a pair of keys.
  bool HasPair() const { return !access_key_id.empty() && !secret_access_key.empty(); }
};

/// A store's keys for as long as it is read: those that end are renewed before they do, and never
/// leave memory.
class KeySource {
 public:
  using Renew = std::function<Result<BucketKeys>(WallTime now)>;

  /// `renew` gets new keys, and may take a while; empty for keys that do not end.
  explicit KeySource(BucketKeys keys, Renew renew = {})
      : keys_(std::move(keys)), renew_(std::move(renew)) {}

  /// The keys for a request that is made at `now`. Where renewing failed, the old ones as long as
  /// they hold; at most one try a minute. Error (kPassing, or what a stop gives): they have ended.
  Result<BucketKeys> At(WallTime now);

  /// Whether they are a token instead of a pair.
  bool is_bearer() const { return !keys_.bearer_token.empty(); }
  /// Where the keys are from, as messages say it.
  const std::string& name() const { return keys_.source; }

 private:
  BucketKeys keys_;
  Renew renew_;
  Error last_ = {};  ///< Why they could not be renewed.
};

}  // namespace cloudflaredump::bucket
