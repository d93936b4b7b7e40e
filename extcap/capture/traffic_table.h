// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "extcap/api/analytics.h"

namespace cloudflaredump::capture {

/// Packets by estimate, and the samples behind them.
struct TrafficCount {
  double packets = 0;
  double samples = 0;
  TrafficCount& operator+=(const TrafficCount& other);
};

/// A share that was estimated from samples, 0 to 1, and the range that holds the true one in 95 of
/// 100 cases.
struct Share {
  double value = 0;
  double low = 0;
  double high = 1;
};

/// The range is Wilson's. Of no packets the share is 0, with a range of everything.
Share ShareOf(const TrafficCount& part, const TrafficCount& all);

/// The packets of one row, and its samples: those not told are one in 10,000.
TrafficCount CountOf(const api::TrafficRow& row);

/// "1 sample", "1,234 samples".
std::string CountedSamples(double samples);

/// "61%", "<1%", ">99%".
std::string Percent(double share);

/// One site of a data center: "ord02".
struct SiteTraffic {
  std::string site;
  TrafficCount count;
};

/// What entered at one data center.
struct ColoTraffic {
  std::string colo;  ///< "ORD"; empty if it was not told
  std::string city;  ///< empty if the code is new
  TrafficCount count;
  Share share;  ///< of all data centers
  TrafficCount dropped;
  Share dropped_share;                             ///< of this data center's
  std::map<std::string, TrafficCount> dropped_by;  ///< by system
  std::vector<SiteTraffic> sites;                  ///< busiest first
  TrafficCount recent;                             ///< in the last minutes
  Share recent_share;
};

/// Where traffic entered, busiest data center first.
struct TrafficTable {
  std::vector<ColoTraffic> colos;
  TrafficCount all;
  TrafficCount dropped;
  std::map<std::string, TrafficCount> dropped_by;
  TrafficCount recent;

  /// The packets that one sample stands for, on average.
  double SampledOneIn() const;
};

/// Sums up the rows of a window and those of its last minutes.
TrafficTable TallyTraffic(const std::vector<api::TrafficRow>& rows,
                          const std::vector<api::TrafficRow>& recent);

/// "ORD (Chicago)", "ORD".
std::string PlaceOf(const ColoTraffic& colo);

/// The site that more than half of a data center's traffic entered at, if there are several; null
/// if there is none.
const SiteTraffic* DominantSite(const ColoTraffic& colo);

}  // namespace cloudflaredump::capture
