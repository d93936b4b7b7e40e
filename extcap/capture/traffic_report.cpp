// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_report.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using By = api::TrafficQuery::By;

constexpr Duration kRecent = 5min;
constexpr std::uint64_t kMostRows = 10000;
constexpr std::size_t kMostBusy = 5;
/// Bounds that count back from now move on while the question is under way.
constexpr Duration kBoundMargin = 1min;

/// "112 days"; a shorter time as other messages have it.
std::string InDays(Duration span) {
  const auto days = std::chrono::floor<std::chrono::days>(span);
  return days >= std::chrono::days(2) && days == span ? std::to_string(days.count()) + " days"
                                                      : FormatSpan(span);
}

/// `window` within the account's bounds; `cut` says why it is shorter.
Result<Window> FitWindow(Window window, const api::AnalyticsBounds& bounds, WallTime now,
                         std::string& cut) {
  if (bounds.not_older_than) {
    const Duration kept = seconds(*bounds.not_older_than);
    const WallTime oldest = std::chrono::ceil<seconds>(now - kept + kBoundMargin);
    if (window.end <= oldest) {
      return Fail("Cloudflare's analytics of this account go back " + InDays(kept),
                  "give a later window", Error::Kind::kUsage);
    }
    if (window.start < oldest) {
      window.start = oldest;
      cut = "Cloudflare's analytics of this account go back " + InDays(kept);
    }
  }
  if (bounds.max_duration) {
    const Duration longest = seconds(*bounds.max_duration);
    if (window.end - window.start > longest) {
      window.start = window.end - longest;
      cut = "this account may ask for " + InDays(longest) + " at a time";
    }
  }
  return window;
}

/// A filter for the packets of `address` among those that the user's filter accepts: that of the
/// first box which holds it if it says all, else the user's with the address in front.
std::string FilterOfAddress(const TrafficTerms& terms, const std::string& filter,
                            const filter::IpAddress& address, bool source) {
  for (filter::PrefixBox box : terms.asked) {
    std::optional<filter::Prefix>& net = source ? box.source : box.destination;
    if (!net || !filter::Contains(*net, address)) continue;
    net.reset();
    (source ? box.box.source_address : box.box.destination_address) = address;
    if (terms.exact) return filter::PrefixBoxAsFilter(box);
    return (source ? "src host " : "dst host ") + address.ToString() + " and (" + filter + ")";
  }
  return "";
}

}  // namespace

Result<Window> TrafficWindow(const std::string& start, const std::string& end, WallTime now) {
  const WallTime whole_now = std::chrono::floor<seconds>(now);
  const auto last = ParseTime(end.empty() ? "-2m" : end, whole_now, "end-time");
  if (!last) return Failure(last);
  const auto first = ParseTime(start.empty() ? "-1h" : start, whole_now, "start-time");
  if (!first) return Failure(first);
  const Window window{std::chrono::floor<seconds>(*first), std::chrono::ceil<seconds>(*last)};
  if (window.end > whole_now + 5s) {
    return Fail("end-time is " + FormatRfc3339(window.end) + ", which is in the future",
                "analytics look back: give an earlier time", Error::Kind::kUsage);
  }
  if (window.start >= window.end) {
    return Fail(Format("start-time (%s) is not before end-time (%s)",
                       FormatRfc3339(window.start).c_str(), FormatRfc3339(window.end).c_str()),
                "give an earlier start", Error::Kind::kUsage);
  }
  return window;
}

std::vector<api::TrafficQuery> BusyQueries(const TrafficTerms& terms, const Window& window) {
  std::vector<api::TrafficQuery> queries;
  for (const By by : {By::kDestination, By::kSource}) {
    api::TrafficQuery query{
        .by = by, .start = window.start, .end = window.end, .matches = {}, .limit = kMostBusy};
    for (std::size_t i = 0; i < terms.told.size(); ++i) {
      const auto& net = by == By::kSource ? terms.told[i].source : terms.told[i].destination;
      if (net) query.matches.push_back(terms.matches[i]);
    }
    if (!query.matches.empty()) queries.push_back(query);
  }
  return queries;
}

std::vector<BusyAddress> BusiestOf(const TrafficTerms& terms, const std::string& filter,
                                   const std::vector<api::TrafficQuery>& queries,
                                   const std::vector<std::vector<api::TrafficRow>>& answers,
                                   const TrafficCount& all) {
  std::vector<BusyAddress> busy;
  for (std::size_t i = 0; i < std::min(queries.size(), answers.size()); ++i) {
    for (const api::TrafficRow& row : answers[i]) {
      const auto address = filter::ParseIpAddress(row.address);
      if (!address) continue;
      const std::string one =
          FilterOfAddress(terms, filter, *address, queries[i].by == By::kSource);
      // The filter may reject an address that the analytics could not be told to leave out.
      if (one.empty() || !filter::CaptureFilter::Compile(one, filter::NameLookup::kAccept)) {
        continue;
      }
      const TrafficCount count = CountOf(row);
      busy.push_back({.filter = one,
                      .ipv6 = address->version == 6,
                      .count = count,
                      .share = ShareOf(count, all)});
    }
  }
  std::ranges::stable_sort(busy, std::ranges::greater(),
                           [](const BusyAddress& one) { return one.count.packets; });
  if (busy.size() > kMostBusy) busy.resize(kMostBusy);
  return busy;
}

Result<TrafficReport> AskTraffic(api::AnalyticsApi& analytics, const filter::CaptureFilter& filter,
                                 const Window& asked, const api::AnalyticsBounds& bounds,
                                 WallTime now, const api::Patience& patience) {
  if (!bounds.enabled) {
    return Fail("this account has no analytics of Magic Transit's packets",
                "Cloudflare keeps them for Enterprise accounts with Magic Transit");
  }
  TrafficReport report;
  report.filter = filter.text();
  report.terms = TermsOf(filter);
  const auto window = FitWindow(asked, bounds, now, report.cut);
  if (!window) return Failure(window);
  report.window = *window;
  const std::uint64_t limit = std::min(kMostRows, bounds.max_page_size.value_or(kMostRows));
  std::vector<api::TrafficQuery> queries = {{.start = window->start,
                                             .end = window->end,
                                             .matches = report.terms.matches,
                                             .limit = limit}};
  if (window->end - window->start >= 2 * kRecent) {
    report.recent = Window{window->end - kRecent, window->end};
    queries.push_back(queries.front());
    queries.back().start = report.recent->start;
  }
  const std::size_t first_busy = queries.size();
  const auto busy = BusyQueries(report.terms, *window);
  queries.insert(queries.end(), busy.begin(), busy.end());
  const auto answers = analytics.Traffic(queries, bounds.tells_sample_interval, patience);
  if (!answers) return Failure(answers);
  report.more_rows = answers->front().size() >= limit;
  report.table = TallyTraffic(answers->front(),
                              report.recent ? answers->at(1) : std::vector<api::TrafficRow>());
  report.busy =
      BusiestOf(report.terms, report.filter, busy,
                {answers->begin() + static_cast<std::ptrdiff_t>(first_busy), answers->end()},
                report.table.all);
  return report;
}

}  // namespace cloudflaredump::capture
