// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/api/analytics.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/filter/prefixes.h"

namespace cloudflaredump::capture {

/// A capture filter as far as Cloudflare's analytics can be told it.
struct TrafficTerms {
  std::vector<filter::PrefixBox> asked;  ///< what holds the filter's packets
  /// What is told, widened where the analytics' words are wider: one for each of `matches`. At
  /// least one.
  std::vector<filter::PrefixBox> told;
  std::vector<api::TrafficMatch> matches;
  bool exact = true;  ///< nothing but the filter's own packets is counted

  /// What is told, as a capture filter; "" for all traffic.
  std::string AsFilter() const;
};

/// Never fails: what the analytics have no words for is not told.
TrafficTerms TermsOf(const filter::CaptureFilter& filter);

}  // namespace cloudflaredump::capture
