// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>

#include "tests/emulator/analytics_dataset.h"
#include "tests/emulator/answer.h"
#include "tests/emulator/options.h"
#include "tests/emulator/request.h"
#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {

/// The GraphQL Analytics API, as far as it tells of Magic Transit's packets: one dataset and its
/// Settings node, for one account. Each packet of the traffic is one sample. As strict as
/// Cloudflare's pages: names, types, arguments, bounds, the budget of queries; each error in the
/// words of the page of errors.
class Graphql {
 public:
  /// `places` and `traffic` outlive this.
  Graphql(const AccessOptions& access, const AnalyticsOptions& options, const Places& places,
          const Traffic& traffic)
      : access_(access), options_(options), places_(places), traffic_(traffic) {}

  /// Answers POST /graphql.
  Answer Ask(const Request& request, const Moment& now);

 private:
  struct Refused {
    int status = 400;
    Refusal words{};
  };
  template <class T>
  using Read = std::expected<T, Refused>;

  Read<Json> Data(const Request& request, const Moment& now);
  Read<Json> Account(const GraphqlField& accounts, const json_t* variables, const Moment& now);
  Read<Json> Settings(const GraphqlField& settings) const;
  Read<Json> Rows(const GraphqlField& node, Time now) const;
  Read<void> CheckSpan(const AnalyticsFilter& filter, Time now) const;
  /// Whether the budget has room for one more query; it is spent then.
  bool Spend(Span now);

  AccessOptions access_;
  AnalyticsOptions options_;
  const Places& places_;
  const Traffic& traffic_;
  std::deque<Span> spent_;
};

}  // namespace cloudflare_emulator
