// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/api/analytics.h"
#include "extcap/capture/traffic_table.h"
#include "extcap/capture/traffic_terms.h"
#include "extcap/capture/window.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::capture {

/// An address of a prefix that a filter names, as a filter of its own.
struct BusyAddress {
  std::string filter;  ///< one that a full capture takes
  bool ipv6 = false;   ///< which it takes only with filter-ipv6 on
  TrafficCount count;
  Share share;  ///< of the traffic asked for
};

/// What Cloudflare's analytics say of a filter's traffic in a window.
struct TrafficReport {
  std::string filter;  ///< as the user wrote it
  TrafficTerms terms;
  Window window;
  std::optional<Window> recent;  ///< its last five minutes, where it is twice as long
  std::string cut;               ///< why the window is shorter than asked for; may be empty
  TrafficTable table;
  bool more_rows = false;         ///< the answer had as many rows as were allowed
  std::vector<BusyAddress> busy;  ///< of a prefix in the filter, busiest first
};

/// The window from `start` to `end`, written as users give times (empty: an hour back; two minutes
/// back, for the analytics are late), to the second.
Result<Window> TrafficWindow(const std::string& start, const std::string& end, WallTime now);

/// Asks, with one request. A window beyond the account's `bounds` is cut; one wholly beyond is an
/// Error. `now` is the time that bounds count back from.
Result<TrafficReport> AskTraffic(api::AnalyticsApi& analytics, const filter::CaptureFilter& filter,
                                 const Window& window, const api::AnalyticsBounds& bounds,
                                 WallTime now, const api::Patience& patience);

/// The queries for the busiest addresses of the prefixes in `terms` in `window`: none, one or two.
std::vector<api::TrafficQuery> BusyQueries(const TrafficTerms& terms, const Window& window);

/// What their answers come to: the five busiest addresses. `filter` is the user's own.
std::vector<BusyAddress> BusiestOf(const TrafficTerms& terms, const std::string& filter,
                                   const std::vector<api::TrafficQuery>& queries,
                                   const std::vector<std::vector<api::TrafficRow>>& answers,
                                   const TrafficCount& all);

/// The report for people, several lines, and as a JSON object.
std::string ReportAsText(const TrafficReport& report);
std::string ReportAsJson(const TrafficReport& report);

}  // namespace cloudflaredump::capture
