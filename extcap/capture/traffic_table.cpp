// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/traffic_table.h"

#include <glib.h>

#include <algorithm>
#include <cmath>

#include "common/colos.h"
#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

/// Names come from a server and go to terminals and files.
std::string CleanName(const std::string& name) {
  constexpr std::size_t kLongest = 40;
  return CleanLine(name, kLongest);
}

std::string UpperCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return g_ascii_toupper(c); });
  return text;
}

ColoTraffic& Find(std::vector<ColoTraffic>& colos, const std::string& code) {
  const std::string name = UpperCase(CleanName(code));
  const auto found = std::ranges::find(colos, name, &ColoTraffic::colo);
  if (found != colos.end()) return *found;
  const Colo* const known = FindColo(name);
  ColoTraffic& colo = colos.emplace_back();
  colo.colo = name;
  if (known != nullptr) colo.city = known->city;
  return colo;
}

void AddSite(ColoTraffic& colo, const std::string& name, const TrafficCount& count) {
  if (name.empty()) return;
  const std::string site = CleanName(name);
  const auto found = std::ranges::find(colo.sites, site, &SiteTraffic::site);
  if (found == colo.sites.end()) {
    colo.sites.push_back({site, count});
  } else {
    found->count += count;
  }
}

/// Busiest first, else by name.
template <class T>
void SortByPackets(std::vector<T>& list, std::string T::* name) {
  std::ranges::sort(list, [name](const T& a, const T& b) {
    if (a.count.packets != b.count.packets) return a.count.packets > b.count.packets;
    return a.*name < b.*name;
  });
}

}  // namespace

TrafficCount CountOf(const api::TrafficRow& row) {
  const double interval = row.sample_interval > 0 ? row.sample_interval : api::kAnalyticsSampling;
  return {.packets = row.packets, .samples = std::round(row.packets / interval)};
}

Share ShareOf(const TrafficCount& part, const TrafficCount& all) {
  if (all.packets <= 0 || all.samples < 1) return {};
  constexpr double kZ = 1.959964;  // of 95%, two-sided
  const double n = all.samples;
  const double p = std::clamp(part.samples / n, 0.0, 1.0);
  const double center = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double reach = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  const double value = std::clamp(part.packets / all.packets, 0.0, 1.0);
  return {.value = value,
          .low = std::clamp(center - reach, 0.0, value),
          .high = std::clamp(center + reach, value, 1.0)};
}

std::string CountedSamples(double samples) {
  const auto count = static_cast<std::uint64_t>(samples);
  return WithThousands(count) + (count == 1 ? " sample" : " samples");
}

std::string Percent(double share) {
  const double percent = 100 * share;
  if (percent > 0 && percent < 0.5) return "<1%";
  if (percent < 100 && percent >= 99.5) return ">99%";
  return Format("%.0f%%", percent);
}

TrafficCount& TrafficCount::operator+=(const TrafficCount& other) {
  packets += other.packets;
  samples += other.samples;
  return *this;
}

double TrafficTable::SampledOneIn() const {
  return all.samples < 1 ? api::kAnalyticsSampling : all.packets / all.samples;
}

TrafficTable TallyTraffic(const std::vector<api::TrafficRow>& rows,
                          const std::vector<api::TrafficRow>& recent) {
  TrafficTable table;
  for (const api::TrafficRow& row : rows) {
    const TrafficCount count = CountOf(row);
    ColoTraffic& colo = Find(table.colos, row.colo);
    colo.count += count;
    table.all += count;
    AddSite(colo, row.site, count);
    if (g_ascii_strcasecmp(row.outcome.c_str(), "drop") != 0) continue;
    const std::string system = row.system.empty() ? "unknown" : CleanName(row.system);
    colo.dropped += count;
    colo.dropped_by[system] += count;
    table.dropped += count;
    table.dropped_by[system] += count;
  }
  for (const api::TrafficRow& row : recent) {
    const TrafficCount count = CountOf(row);
    Find(table.colos, row.colo).recent += count;
    table.recent += count;
  }
  for (ColoTraffic& colo : table.colos) {
    colo.share = ShareOf(colo.count, table.all);
    colo.recent_share = ShareOf(colo.recent, table.recent);
    colo.dropped_share = ShareOf(colo.dropped, colo.count);
    SortByPackets(colo.sites, &SiteTraffic::site);
  }
  SortByPackets(table.colos, &ColoTraffic::colo);
  return table;
}

std::string PlaceOf(const ColoTraffic& colo) {
  if (colo.colo.empty()) return "an unnamed data center";
  return colo.city.empty() ? colo.colo : colo.colo + " (" + colo.city + ")";
}

const SiteTraffic* DominantSite(const ColoTraffic& colo) {
  if (colo.sites.size() < 2) return nullptr;
  const SiteTraffic& first = colo.sites.front();
  return 2 * first.count.packets > colo.count.packets ? &first : nullptr;
}

}  // namespace cloudflaredump::capture
