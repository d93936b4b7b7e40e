// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "tests/emulator/graphql_parser.h"
#include "tests/emulator/json.h"
#include "tests/emulator/places.h"

namespace cloudflare_emulator {

/// A dimension's value: text, or a number; times are nanoseconds since 1970.
using DimensionValue = std::variant<std::string, std::int64_t>;

/// One sampled packet of the dataset magicTransitNetworkAnalyticsAdaptiveGroups: the value of each
/// dimension, in the order of their table.
struct AnalyticsSample {
  std::vector<DimensionValue> dimensions;
  std::uint64_t bytes = 0;  ///< On the wire, from the IP header on.
};

/// Nothing if the record is no IP packet.
std::optional<AnalyticsSample> SampleOf(const Record& record, const Places& places);

/// Why a query is refused: the words that Cloudflare's page of errors shows.
using Refusal = std::string;

/// A `filter` argument, read against the dataset's names and types.
class AnalyticsFilter {
 public:
  /// `datetime` conditions bound the time span and are tested like the others.
  static std::expected<AnalyticsFilter, Refusal> Read(const GraphqlValue& object);

  bool Holds(const AnalyticsSample& sample) const { return holds_(sample); }
  std::optional<Time> start() const { return start_; }  ///< The first moment that may hold.
  std::optional<Time> end() const { return end_; }

 private:
  using Test = std::function<bool(const AnalyticsSample&)>;
  friend class FilterReader;
  Test holds_;
  std::optional<Time> start_;
  std::optional<Time> end_;
};

/// The fields that a query selects, and how it is ordered.
struct AnalyticsSelection {
  std::vector<std::size_t> dimensions;  ///< Places in their table.
  std::vector<std::string> sums;        ///< packets, bits
  bool sample_interval = false;         ///< avg.sampleInterval
  std::vector<std::string> order;       ///< "sum_packets_DESC", "coloCode_ASC"
};

std::expected<AnalyticsSelection, Refusal> ReadSelection(const GraphqlField& node);

/// The dataset's fields, as the Settings node names them: "dimensions_coloCode".
std::vector<std::string> AvailableFields(bool sample_interval);

/// The rows of the answer: the samples grouped by the selected dimensions, each standing for
/// `interval` packets.
Json GroupSamples(const std::vector<AnalyticsSample>& samples, const AnalyticsSelection& selection,
                  std::uint64_t interval, std::size_t limit);

}  // namespace cloudflare_emulator
