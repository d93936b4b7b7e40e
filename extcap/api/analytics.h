// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/time.h"
#include "extcap/api/pcaps_api.h"
#include "extcap/http/http.h"

namespace cloudflaredump::api {

/// What the packets of one side have in common. At most one of `addresses`, `subnets` and `like`
/// says something.
struct SideMatch {
  std::vector<std::string> addresses = {};  ///< one of these, as inet_ntop writes them
  std::vector<std::string> subnets = {};    ///< in one of these: /24 of IPv4, /64 of IPv6
  std::string like = {};                    ///< the address as a pattern: "10.%"
  std::optional<std::uint16_t> port = {};
  bool operator==(const SideMatch&) const = default;
};

/// What packets have in common, in the words of Cloudflare's analytics.
struct TrafficMatch {
  SideMatch source = {};
  SideMatch destination = {};
  std::optional<std::uint8_t> protocol = {};
  bool operator==(const TrafficMatch&) const = default;
};

/// One thing asked of the analytics: the packets towards the customer from `start` on and before
/// `end` that fit any of `matches` (none: all), by place and fate or by an address.
struct TrafficQuery {
  enum class By { kPlace, kSource, kDestination };
  By by = By::kPlace;
  WallTime start;  ///< to the second
  WallTime end;
  std::vector<TrafficMatch> matches = {};
  std::uint64_t limit = 1000;  ///< rows
};

/// One row of the answer. Texts are as Cloudflare sent them; those not asked for are empty.
struct TrafficRow {
  std::string colo;     ///< "ORD"
  std::string site;     ///< "ord02"
  std::string outcome;  ///< "pass", "drop"
  std::string system;   ///< what dropped it: "dosd", "flowtrackd", "magic-firewall"
  std::string address;
  double packets = 0;          ///< estimated from samples
  double sample_interval = 0;  ///< packets behind one sample; 0 if it was not told
};

/// The account's bounds, as the Settings node tells them. What is missing is unset.
struct AnalyticsBounds {
  bool enabled = true;
  bool tells_sample_interval = false;                ///< avg.sampleInterval is among the fields
  std::optional<std::uint64_t> max_duration = {};    ///< seconds that one query may span
  std::optional<std::uint64_t> not_older_than = {};  ///< seconds back from now
  std::optional<std::uint64_t> max_page_size = {};   ///< rows
  bool operator==(const AnalyticsBounds&) const = default;
};

/// How many packets stand behind one sample, where the answer does not say.
/// Source: node reference of Network Analytics v2.
inline constexpr double kAnalyticsSampling = 10000;

/// Cloudflare's GraphQL Analytics API, as far as it tells where an account's Magic Transit traffic
/// entered (node magicTransitNetworkAnalyticsAdaptiveGroups). One thread. Each call is one HTTP
/// request, repeated within the Patience's budget on passing faults. Errors are sentences for the
/// user with Cloudflare's own words, cleaned.
class AnalyticsApi {
 public:
  /// `http` and `loop` must outlive this object.
  AnalyticsApi(http::Http& http, system::EventLoop& loop, ApiAccess access);

  Result<AnalyticsBounds> Bounds(const Patience& patience);

  /// The rows of each query, most packets first. At least one query.
  Result<std::vector<std::vector<TrafficRow>>> Traffic(const std::vector<TrafficQuery>& queries,
                                                       bool with_sample_interval,
                                                       const Patience& patience);

 private:
  template <class T, class Read>
  Result<T> Ask(const std::string& query, const Patience& patience, const Read& read);

  http::Http& http_;
  system::EventLoop& loop_;
  ApiAccess access_;
  std::string host_;  ///< of the API, for sentences
};

}  // namespace cloudflaredump::api
