// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "common/time.h"
#include "extcap/api/analytics.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::capture {

/// What the analytics' Settings node said of accounts, remembered for a day in a private file. It
/// holds account ids and bounds, no secret. A file that cannot be written or read only means that
/// the node is asked again.
class AnalyticsMemory {
 public:
  /// The file is `$XDG_CACHE_HOME/cloudflaredump/analytics.json` (~/.cache by default).
  explicit AnalyticsMemory(const system::Environment& environment);

  /// What was remembered of the account at that API less than a day before `now`.
  std::optional<api::AnalyticsBounds> Find(const api::ApiAccess& access, WallTime now) const;
  void Remember(const api::ApiAccess& access, const api::AnalyticsBounds& bounds, WallTime now);
  void Forget(const api::ApiAccess& access);

 private:
  std::string path_;
};

/// The bounds that are remembered, else those that the Settings node tells, which is remembered.
Result<api::AnalyticsBounds> FindBounds(api::AnalyticsApi& analytics, const api::ApiAccess& access,
                                        AnalyticsMemory& memory, WallTime now,
                                        const api::Patience& patience);

}  // namespace cloudflaredump::capture
