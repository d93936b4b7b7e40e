// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_notes.h"

#include <glib.h>

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/engine.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/traffic_report.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using Answers = std::vector<std::vector<api::TrafficRow>>;

/// Data centers that a clause names.
constexpr std::size_t kMostColosNamed = 4;

/// How long is waited, in real time, where a person waits for something else.
constexpr Duration kForRefusal = 5s;
constexpr Duration kForVerdict = 3s;

/// Asks once; what goes wrong is for the log only.
std::optional<Answers> Ask(api::AnalyticsApi& analytics,
                           const std::vector<api::TrafficQuery>& queries,
                           const api::Patience& patience) {
  auto answers =
      analytics.Traffic(queries, false, {.retry_budget = Duration(0), .stop = patience.stop});
  if (answers) return *std::move(answers);
  system::Log(system::LogLevel::kInfo, "%s", ClauseOf(answers.error()).c_str());
  return std::nullopt;
}

Window LastHour(WallTime end) {
  const WallTime whole = std::chrono::ceil<seconds>(end);
  return {whole - 1h, whole};
}

/// "FRA (92%) and AMS (8%)".
std::string Places(const TrafficTable& table) {
  std::vector<std::string> words;
  for (const ColoTraffic& colo : table.colos) {
    if (colo.count.packets <= 0) continue;
    if (words.size() == kMostColosNamed) {
      words.push_back(std::to_string(table.colos.size() - kMostColosNamed) + " others");
      break;
    }
    const std::string name = colo.colo.empty() ? PlaceOf(colo) : colo.colo;
    words.push_back(name + " (" + Percent(colo.share.value) + ")");
  }
  return Listed(words);
}

bool IsCalled(const std::string& name, const std::string& other) {
  return g_ascii_strcasecmp(name.c_str(), other.c_str()) == 0;
}

/// Whether any of it entered at `place`, a data center or one of its sites.
bool EnteredAt(const TrafficTable& table, const std::string& place) {
  return std::ranges::any_of(table.colos, [&](const ColoTraffic& colo) {
    return IsCalled(colo.colo, place) ||
           std::ranges::any_of(colo.sites,
                               [&](const SiteTraffic& site) { return IsCalled(site.site, place); });
  });
}

/// "dosd and flowtrackd".
std::string Systems(const std::map<std::string, TrafficCount>& dropped_by) {
  std::vector<std::string> systems;
  systems.reserve(dropped_by.size());
  for (const auto& [system, count] : dropped_by) systems.push_back(system);
  return Listed(systems);
}

/// "18% of it was dropped at Cloudflare (dosd)".
std::string Drops(const TrafficTable& table) {
  if (table.dropped.packets <= 0) return "";
  return "; " + Percent(ShareOf(table.dropped, table.all).value) +
         " of it was dropped at Cloudflare (" + Systems(table.dropped_by) + ")";
}

/// What traffic the analytics counted for `terms`.
std::string CountedTraffic(const TrafficTerms& terms) {
  if (terms.exact) return "this traffic";
  return terms.AsFilter().empty() ? "all traffic towards this account"
                                  : "the traffic of \"" + terms.AsFilter() + "\"";
}

std::string Told(const TrafficTable& table, const TrafficTerms& terms, const std::string& colo) {
  std::string text = CountedTraffic(terms) + " entered at " + Places(table);
  if (!colo.empty() && !EnteredAt(table, colo)) text += ", none at " + colo;
  return text + Drops(table) + " (about, from " + CountedSamples(table.all.samples) + ")";
}

}  // namespace

bool DeservesTrafficNote(const Outcome& outcome) {
  const bool lost = outcome.counts.received == 0 && !outcome.losses.empty();
  return outcome.counts.delivered == 0 && !outcome.error && !lost;
}

std::optional<std::string> TrafficNote(api::AnalyticsApi& analytics,
                                       const filter::CaptureFilter& filter, const Window& window,
                                       const std::string& colo, const api::Patience& patience) {
  const TrafficTerms terms = TermsOf(filter);
  const Window hour = LastHour(window.end);
  const WallTime start = std::chrono::floor<seconds>(window.start);
  std::vector<api::TrafficQuery> queries = {
      {.start = start, .end = hour.end, .matches = terms.matches},
      {.start = hour.start, .end = hour.end, .matches = terms.matches}};
  const auto answers = Ask(analytics, queries, patience);
  if (!answers) return std::nullopt;
  const TrafficTable exact = TallyTraffic(answers->at(0), {});
  if (exact.all.samples >= 1) {
    return "Cloudflare's analytics of this window: " + Told(exact, terms, colo);
  }
  const TrafficTable before = TallyTraffic(answers->at(1), {});
  if (before.all.samples >= 1) {
    return "Cloudflare's analytics have no samples of this window yet; in the hour before its "
           "end " +
           Told(before, terms, colo);
  }
  return "Cloudflare's analytics have no samples of this traffic in the hour before the end either "
         "(they keep one packet in about 10,000)";
}

std::optional<DroppedTraffic> DroppedAtCloudflare(api::AnalyticsApi& analytics,
                                                  const filter::CaptureFilter& filter,
                                                  const Window& window, const std::string& colo,
                                                  const api::Patience& patience) {
  const TrafficTerms terms = TermsOf(filter);
  const auto answers = Ask(analytics,
                           {{.start = std::chrono::floor<seconds>(window.start),
                             .end = std::chrono::ceil<seconds>(window.end),
                             .matches = terms.matches}},
                           patience);
  if (!answers) return std::nullopt;
  const TrafficTable table = TallyTraffic(answers->front(), {});
  TrafficCount all = table.all;
  TrafficCount dropped = table.dropped;
  auto dropped_by = table.dropped_by;
  if (!colo.empty()) {
    const auto at = std::ranges::find_if(
        table.colos, [&](const ColoTraffic& one) { return IsCalled(one.colo, colo.substr(0, 3)); });
    if (at == table.colos.end()) return std::nullopt;
    all = at->count;
    dropped = at->dropped;
    dropped_by = at->dropped_by;
  }
  if (all.samples < 1) return std::nullopt;
  return DroppedTraffic{.dropped = dropped.packets,
                        .all = all.packets,
                        .systems = Systems(dropped_by),
                        .counted = CountedTraffic(terms),
                        .exact = terms.exact,
                        .samples = CountedSamples(all.samples)};
}

std::string BusiestAddresses(api::AnalyticsApi& analytics, const filter::CaptureFilter& filter,
                             WallTime now, bool ipv6_sent, const api::Patience& patience) {
  const TrafficTerms terms = TermsOf(filter);
  const Window hour = LastHour(now);
  std::vector<api::TrafficQuery> queries = BusyQueries(terms, hour);
  if (queries.empty()) return "";
  const std::size_t count = queries.size();
  queries.push_back({.start = hour.start, .end = hour.end, .matches = terms.matches});
  auto answers = Ask(analytics, queries, patience);
  if (!answers) return "";
  const TrafficTable table = TallyTraffic(answers->back(), {});
  queries.resize(count);
  answers->resize(count);
  std::string text;
  for (const BusyAddress& one : BusiestOf(terms, filter.text(), queries, *answers, table.all)) {
    text += (text.empty() ? "" : ", ") + one.filter + " (" + Percent(one.share.value) +
            (one.ipv6 && !ipv6_sent ? ", with filter-ipv6 on)" : ")");
  }
  return text;
}

std::string BusiestAddresses(const CaptureContext& context) {
  const auto access = FindAccess(context.settings);
  if (!access) return "";
  api::AnalyticsApi analytics(context.http, context.loop, *access);
  const Bounded bounded(context.loop, context.loop.FromReal(kForRefusal));
  return BusiestAddresses(analytics, context.filter, context.loop.Now(),
                          context.settings.IsOn(config::Opt::kFilterIpv6), bounded.patience());
}

void AddTrafficNote(const CaptureContext& context, Outcome& outcome) {
  if (!DeservesTrafficNote(outcome) || outcome.verdict.empty() || !outcome.window) return;
  const auto access = FindAccess(context.settings);
  if (!access) return;
  api::AnalyticsApi analytics(context.http, context.loop, *access);
  const Bounded bounded(context.loop, context.loop.FromReal(kForVerdict));
  // A stop ended the capture; only a second one means that nobody waits any more.
  const api::Patience patience{
      .retry_budget = Duration(0),
      .stop = [over = bounded.patience().stop, left = context.stop.Leaving()] {
        return over() || left();
      }};
  const auto note = TrafficNote(analytics, context.filter, *outcome.window, outcome.colo, patience);
  if (!note) return;
  // What was counted comes before what is guessed.
  const std::string ending = outcome.likely_causes + ".";
  outcome.verdict.resize(outcome.verdict.size() - ending.size());
  outcome.verdict += "; " + *note + ending;
}

std::vector<ColoChoice> BusiestColos(api::AnalyticsApi& analytics,
                                     const filter::CaptureFilter& filter, WallTime now,
                                     const api::Patience& patience) {
  const TrafficTerms terms = TermsOf(filter);
  const Window hour = LastHour(now);
  const auto answers =
      Ask(analytics, {{.start = hour.start, .end = hour.end, .matches = terms.matches}}, patience);
  std::vector<ColoChoice> choices;
  if (!answers) return choices;
  const std::string told = terms.AsFilter();
  const std::string counted = told.empty()  ? " of the account's traffic"
                              : terms.exact ? ""
                                            : " of \"" + told + "\"";
  for (const ColoTraffic& colo : TallyTraffic(answers->front(), {}).colos) {
    choices.push_back({colo.colo, PlaceOf(colo) + ": " + Percent(colo.share.value) + counted +
                                      " in the last hour"});
  }
  return choices;
}

}  // namespace cloudflaredump::capture
