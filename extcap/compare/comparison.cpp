// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/comparison.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/causes.h"
#include "extcap/compare/clock_settings.h"
#include "extcap/compare/router_drops.h"

namespace cloudflaredump::compare {
namespace {

/// Where no packet tells how the clocks differ, this much is kept from the ends of the coverage.
constexpr std::int64_t kUnknownGuard = 1'000'000'000;
constexpr std::size_t kMostRows = 1000;

std::string NameOf(const InputFile& file) {
  return CleanLine(file.name, 200);
}

std::unexpected<Error> FailFile(const InputFile& file, const Error& error) {
  return Fail("cannot compare " + NameOf(file) + ": " + error.what, error.remedy, error.kind);
}

/// Whether the file could have seen a packet of `time`, however fast or slow.
bool Covers(const LocalResult& local, std::int64_t time) {
  if (!local.side.has_times) return false;
  const Clock& clock = local.clock;
  const auto matched = [](const LocalPoint& point) { return point.matched > 0; };
  if (clock.pairs == 0 && !std::ranges::any_of(local.side.points, matched)) {
    return time - kUnknownGuard >= local.side.first && time + kUnknownGuard <= local.side.last;
  }
  const std::int64_t expected = clock.Expected(time);
  return expected - clock.close >= local.side.first && expected + clock.close <= local.side.last;
}

bool Overlaps(const CloudSide& cloud, const LocalResult& local) {
  return local.side.has_times && cloud.first() <= local.side.last &&
         local.side.first <= cloud.last();
}

/// Addresses of Cloudflare's side that seem to have another name behind the router: most of their
/// packets are found under it, and none under their own.
std::map<std::uint32_t, Lookalike> TranslatedAddresses(const Comparison& c) {
  struct Seen {
    std::uint64_t all = 0, arrived = 0;
  };
  std::vector<Seen> seen(c.cloud.addresses().size());
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    for (const std::uint32_t address :
         {c.cloud.packets()[i].source, c.cloud.packets()[i].destination}) {
      ++seen[address].all;
      seen[address].arrived += HasArrived(c.results[i].fate) ? 1 : 0;
    }
  }
  std::map<std::uint32_t, Lookalike> translated;
  for (const LocalResult& local : c.locals) {
    for (const Lookalike& pair : local.side.lookalikes) {
      const Seen& own = seen[pair.outside];
      const std::uint64_t least = std::max<std::uint64_t>(3, own.all / 4);
      if (own.arrived > 0 || pair.packets < least) continue;
      Lookalike& known = translated[pair.outside];
      if (pair.packets > known.packets) known = pair;
    }
  }
  return translated;
}

void Settle(const Options& options, Comparison& c) {
  const auto translated =
      options.translations.empty() ? TranslatedAddresses(c) : std::map<std::uint32_t, Lookalike>();
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    const CloudPacket& packet = c.cloud.packets()[i];
    PacketResult& result = c.results[i];
    if (packet.filtered) {
      result.fate = Fate::kFiltered;
    } else if (packet.egress) {
      result.fate = Fate::kEgress;
    } else if (packet.copy) {
      result.fate = Fate::kCopy;
    } else if (!HasArrived(result.fate)) {
      const auto covers = [&](const LocalResult& local) { return Covers(local, packet.time); };
      if (translated.contains(packet.destination) || translated.contains(packet.source)) {
        result.fate = Fate::kTranslated;
      } else if (c.locals.empty() || !std::ranges::all_of(c.locals, covers)) {
        result.fate = Fate::kNotCovered;
      }
    }
    result.fragments |= packet.fragments;
    if (!result.fragments && packet.datagram != 0) {
      for (const LocalResult& local : c.locals) {
        result.fragments |= std::ranges::binary_search(local.side.left_datagrams, packet.datagram);
      }
    }
  }
  for (const auto& [address, pair] : translated) {
    const std::string outside = c.cloud.addresses()[address].ToString();
    const std::string inside = pair.inside.ToString();
    c.findings.push_back(
        {.kind = "translated",
         .text = Format(
             "Packets %s %s look translated: %s arrive %s %s instead. Compare again with "
             "--map %s=%s.",
             pair.is_source ? "from" : "to", outside.c_str(), WithThousands(pair.packets).c_str(),
             pair.is_source ? "from" : "for", inside.c_str(), outside.c_str(), inside.c_str()),
         .value = Format("%s=%s", outside.c_str(), inside.c_str()),
         .lost = 0,
         .of = pair.packets});
  }
}

void CountFates(Comparison& c) {
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    const PacketResult& result = c.results[i];
    switch (result.fate) {
      case Fate::kMissing:
        ++c.missing;
        c.repeated += result.repeated ? 1 : 0;
        break;
      case Fate::kMerged:
        ++c.merged;
        ++c.arrived;
        break;
      case Fate::kAcknowledged:
        ++c.acknowledged;
        ++c.arrived;
        break;
      case Fate::kArrived:
        ++c.arrived;
        break;
      case Fate::kNotCovered:
        ++c.not_covered;
        break;
      case Fate::kEgress:
        ++c.egress;
        break;
      case Fate::kTranslated:
        ++c.translated;
        break;
      case Fate::kFiltered:
        ++c.filtered;
        break;
      case Fate::kCopy:
        ++c.cloudflare_copies;
        break;
    }
    if ((result.fate == Fate::kMissing || HasArrived(result.fate)) && result.fragments) {
      ++c.in_fragments;
    }
  }
  c.compared = c.arrived + c.missing;
  c.duplicates = c.cloudflare_copies;
  for (const LocalResult& local : c.locals) c.duplicates += local.counts.duplicates;
}

void ForgetMissing(Comparison& c) {
  for (PacketResult& result : c.results) {
    if (result.fate == Fate::kMissing) result.fate = Fate::kNotCovered;
  }
  c.not_covered += c.missing;
  c.missing = 0;
  c.compared = c.arrived;
}

/// What can be said if no packet arrived at all.
void ExplainNothing(const std::string& cloudflare_file, Comparison& c) {
  std::uint64_t records = 0;
  std::uint64_t encrypted = 0;
  std::uint64_t other = 0;
  std::uint64_t to_destinations = 0;
  std::uint64_t too_short = 0;
  bool overlap = false;
  for (const LocalResult& local : c.locals) {
    records += local.side.records;
    encrypted += local.side.encrypted;
    other += local.side.other;
    to_destinations += local.side.other_to_destinations;
    too_short += local.side.too_short;
    overlap |= Overlaps(c.cloud, local);
  }
  const auto nothing = [&c](const char* kind, std::string why, std::string text, std::uint64_t of) {
    c.not_comparable = std::move(why);
    if (kind != nullptr)
      c.findings.push_back({.kind = kind, .text = std::move(text), .value = {}, .of = of});
    ForgetMissing(c);
  };
  if (c.filtered > 0 && c.filtered + c.cloudflare_copies == c.results.size()) {
    return nothing(nullptr, "no packet of Cloudflare's file matches the filter", {}, 0);
  }
  if (c.cloud.packets().empty()) {
    return nothing(nullptr,
                   cloudflare_file + (c.cloud.records > 0 ? " holds no packets that can be compared"
                                                          : " holds no packets"),
                   {}, 0);
  }
  if (c.egress + c.cloudflare_copies == c.results.size()) {
    return nothing(nullptr, "all packets of Cloudflare's file come from our own addresses", {}, 0);
  }
  if (records == 0) return nothing(nullptr, "the local capture holds no packets", {}, 0);
  if (!c.findings.empty()) {
    return nothing(nullptr, "the addresses look translated; say how with --map", {}, 0);
  }
  if (encrypted > 0 && to_destinations == 0 && encrypted * 2 >= other) {
    return nothing(
        "encrypted", "the local capture holds only encrypted packets (ESP)",
        Format("The local capture holds %s of ESP, which nobody can look into. Capture on "
               "the tunnel's own interface instead (such as vti0, ipsec0 or xfrm0), where "
               "they are decrypted.",
               CountedPackets(encrypted).c_str()),
        encrypted);
  }
  if (too_short > 0 && too_short >= other) {
    return nothing(nullptr,
                   "the local capture's snap length is too short to hold the inner headers; "
                   "capture with -s 0, or at least -s 160",
                   {}, 0);
  }
  if (!overlap) {
    return nothing(
        "no_overlap", "the two captures do not overlap in time",
        Format("Cloudflare's packets are from %s to %s, and no local packet is from then.",
               FormatRfc3339(WallTime(Duration(c.cloud.first()))).c_str(),
               FormatRfc3339(WallTime(Duration(c.cloud.last()))).c_str()),
        c.results.size());
  }
  if (to_destinations == 0) {
    return nothing(
        "other_traffic", "the local capture holds no packet to any of these destinations",
        Format("The local capture holds %s of other traffic and none to any destination of "
               "Cloudflare's packets: it may not be on their way, its filter may leave them "
               "out, or all of them were lost. To tell, capture more traffic at Cloudflare than "
               "this and narrow the comparison with -f.",
               CountedPackets(other).c_str()),
        other);
  }
  if (c.compared == 0) {
    return nothing(
        "no_overlap", "no packet of Cloudflare's lies surely within the local capture's time",
        "Without a packet that both have, the clocks may differ; the captures overlap too "
        "little to compare.",
        c.results.size());
  }
  c.findings.push_back(
      {.kind = "other_traffic",
       .text =
           Format("No packet arrived, though the local capture holds %s of other traffic to these "
                  "destinations at that time: it is in the right place.",
                  CountedPackets(to_destinations).c_str()),
       .value = {},
       .lost = c.missing,
       .of = c.compared});
}

/// Tells of missing packets that are in the file at other times, all as much later or earlier: why,
/// their bytes do not show.
void AddStrays(Comparison& c, const LocalResult& local) {
  constexpr std::size_t kFew = 10;
  constexpr std::int64_t kSame = 20'000'000;
  std::map<std::uint32_t, std::int64_t> late;
  for (const Stray& stray : local.counts.strays) {
    if (c.results[stray.packet].fate == Fate::kMissing) late.emplace(stray.packet, stray.late);
  }
  if (late.empty()) return;
  std::vector<std::int64_t> times;
  times.reserve(late.size());
  for (const auto& [packet, time] : late) times.push_back(time);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  const auto same = static_cast<std::size_t>(std::ranges::count_if(
      times, [by = *middle](std::int64_t time) { return std::abs(time - by) <= kSame; }));
  if (same < kFew || same * 2 < c.missing) return;
  Finding doubt{.kind = "clock",
                .text = Format(
                    "%s of the missing are in %s %.3f s %s than expected: %s.",
                    WithThousands(same).c_str(), CleanLine(local.side.file.name, 100).c_str(),
                    std::abs(static_cast<double>(*middle)) / 1e9, *middle < 0 ? "earlier" : "later",
                    *middle < 0 ? "its clock was set, or there are others like them"
                                : "they were held up or sent again, or its clock was set"),
                .lost = same,
                .of = c.missing};
  c.findings.insert(c.findings.begin(), std::move(doubt));
}

/// What stands in the way of a sure answer though packets arrived.
void AddDoubts(Comparison& c) {
  if (c.missing == 0) return;
  for (const LocalResult& local : c.locals) AddStrays(c, local);
  for (const LocalResult& local : c.locals) {
    if (local.side.encrypted * 2 < c.missing) continue;
    Finding doubt{
        .kind = "encrypted",
        .text =
            Format("%s also holds %s of ESP, which nobody can look into: the missing packets may "
                   "be inside. Capture on that tunnel's own interface, too.",
                   CleanLine(local.side.file.name, 100).c_str(),
                   CountedPackets(local.side.encrypted).c_str()),
        .of = local.side.encrypted};
    // It comes first: what else the missing have in common may be what that tunnel carries.
    c.findings.insert(c.findings.begin(), std::move(doubt));
  }
}

Interval LossInterval(const Comparison& c) {
  if (c.compared == 0) return {};
  if (c.cloud.sample()) return BinomialInterval(c.missing, c.compared);
  std::vector<FlowLoss> flows(c.cloud.flows());
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    const Fate fate = c.results[i].fate;
    if (fate != Fate::kMissing && !HasArrived(fate)) continue;
    FlowLoss& flow = flows[c.cloud.packets()[i].flow];
    ++flow.packets;
    flow.missing += fate == Fate::kMissing ? 1 : 0;
  }
  std::erase_if(flows, [](const FlowLoss& flow) { return flow.packets == 0; });
  return FlowInterval(flows);
}

/// Rows in the order of their keys, or the most missing first; the rest is left out.
std::vector<TableRow> Rows(std::map<std::int64_t, TableRow> table, bool by_missing) {
  std::vector<TableRow> rows;
  rows.reserve(table.size());
  for (auto& [key, row] : table) rows.push_back(std::move(row));
  if (by_missing) {
    std::ranges::stable_sort(rows, [](const TableRow& a, const TableRow& b) {
      return std::pair(a.missing, a.compared) > std::pair(b.missing, b.compared);
    });
  }
  if (rows.size() > kMostRows) rows.resize(kMostRows);
  return rows;
}

void FillTables(Comparison& c) {
  constexpr std::uint32_t kSizeStep = 100;
  struct Count {
    std::uint64_t compared = 0, missing = 0;
  };
  std::vector<Count> by_address(c.cloud.addresses().size());
  std::map<std::int64_t, TableRow> destinations;
  std::map<std::int64_t, TableRow> sizes;
  std::map<std::int64_t, TableRow> seconds;
  const std::int64_t span = c.cloud.last() - c.cloud.first();
  const std::int64_t step = std::max<std::int64_t>(1, span / 1'000'000'000 / 60);
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    const Fate fate = c.results[i].fate;
    if (fate != Fate::kMissing && !HasArrived(fate)) continue;
    const CloudPacket& packet = c.cloud.packets()[i];
    const auto count = [fate](TableRow& row) {
      ++row.compared;
      row.missing += fate == Fate::kMissing ? 1 : 0;
    };
    ++by_address[packet.destination].compared;
    by_address[packet.destination].missing += fate == Fate::kMissing ? 1 : 0;
    count(sizes[packet.size / kSizeStep]);
    count(seconds[packet.time / 1'000'000'000 / step]);
  }
  for (std::size_t number = 0; number < by_address.size(); ++number) {
    if (by_address[number].compared == 0) continue;
    destinations[static_cast<std::int64_t>(number)] = {
        .name = c.cloud.addresses()[number].ToString(),
        .compared = by_address[number].compared,
        .missing = by_address[number].missing};
  }
  for (auto& [number, row] : sizes) {
    const std::int64_t least = number * kSizeStep;
    row.name = std::to_string(least) + " to " + std::to_string(least + kSizeStep - 1);
  }
  for (auto& [number, row] : seconds) {
    row.name = FormatRfc3339(WallTime(std::chrono::seconds(number * step)));
  }
  c.by_destination = Rows(std::move(destinations), true);
  c.by_size = Rows(std::move(sizes), false);
  c.by_second = Rows(std::move(seconds), false);
  c.seconds_per_row = step;
}

/// How long Cloudflare's packet took beyond the offset of the clock. With equal packets, or without
/// a clock, the one that was paired with it need not be the same; and none is faster than light.
std::optional<std::int64_t> Took(const Comparison& c, std::size_t packet) {
  const PacketResult& result = c.results[packet];
  if ((result.fate != Fate::kArrived && result.fate != Fate::kMerged) || result.unsure) return {};
  const Clock& clock = c.locals[result.file].clock;
  if (clock.pairs == 0) return std::nullopt;
  const std::int64_t took = result.local_time - clock.Fastest(c.cloud.packets()[packet].time);
  return took < -clock.wide_before ? std::nullopt : std::optional(took);
}

void FindFastest(Comparison& c) {
  if (c.cloud.sample()) return;
  constexpr std::int64_t kUnset = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> fastest(c.cloud.interfaces().size(), kUnset);
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    std::int64_t& least = fastest[c.cloud.packets()[i].interface];
    if (const auto took = Took(c, i)) least = std::min(least, *took);
  }
  c.fastest = std::move(fastest);
}

}  // namespace

std::optional<std::int64_t> Comparison::DelayOf(std::size_t packet) const {
  if (fastest.empty()) return std::nullopt;
  const auto took = Took(*this, packet);
  return took ? std::optional(*took - fastest[cloud.packets()[packet].interface]) : std::nullopt;
}

Result<Comparison> Compare(const Options& options, const filter::CaptureFilter* filter) {
  auto cloud = CloudSide::Read(options, filter);
  if (!cloud) return FailFile(options.cloudflare_file, cloud.error());
  Comparison c{.filter = options.filter, .cloud = *std::move(cloud)};
  c.results.resize(c.cloud.packets().size());
  for (const InputFile& file : options.local_files) {
    auto local = LocalSide::Read(file, options, c.cloud);
    if (!local) return FailFile(file, local.error());
    if (local->described && c.cloud.described()) {
      return Fail(NameOf(file) + " was captured at Cloudflare, too, and does not show what arrived",
                  "name one file of Cloudflare's, and those of your routers behind it",
                  Error::Kind::kUsage);
    }
    if (local->described) {
      return Fail(NameOf(file) + " was captured at Cloudflare, but " +
                      NameOf(options.cloudflare_file) + " is named first",
                  "name Cloudflare's file first", Error::Kind::kUsage);
    }
    c.locals.push_back({.side = *std::move(local)});
  }
  std::vector<std::vector<std::uint64_t>> points(c.locals.size());
  for (std::size_t i = 0; i < c.locals.size(); ++i) {
    LocalResult& local = c.locals[i];
    auto settings = FindClockSettings(c.cloud, local.side);
    if (!settings.empty()) local.side.UndoSettings(std::move(settings));
    local.clock = EstimateClock(c.cloud, local.side);
    if (local.side.points.size() > 1) points[i].resize(c.results.size());
    local.counts = MatchPackets(c.cloud, local.side, local.clock, static_cast<std::uint16_t>(i),
                                c.results, points[i]);
  }
  Settle(options, c);
  CountFates(c);
  const auto knows_clock = [](const LocalResult& local) { return local.clock.pairs > 0; };
  if (c.arrived == 0 && !std::ranges::any_of(c.locals, knows_clock)) {
    ExplainNothing(NameOf(options.cloudflare_file), c);
  } else if (c.compared == 0) {
    c.not_comparable = "no packet of Cloudflare's lies within the local capture's time";
    if (c.filtered > 0 && c.not_covered == 0)
      c.not_comparable = "no packet of Cloudflare's file matches the filter";
  } else if (c.arrived == 0) {
    c.findings.push_back({.kind = "other_traffic",
                          .text =
                              "None of these packets arrived, though others of Cloudflare's file "
                              "did: the local capture is in the right place.",
                          .lost = c.missing,
                          .of = c.compared});
  } else {
    std::vector<Finding> before = std::move(c.findings);
    c.findings = FindCauses(c);
    c.findings.insert(c.findings.end(), before.begin(), before.end());
    for (std::size_t i = 0; i < c.locals.size(); ++i) FindRouterDrops(c, c.locals[i], points[i]);
    AddDoubts(c);
  }
  if (c.compared > 0) {
    c.loss_percent = 100 * static_cast<double>(c.missing) / static_cast<double>(c.compared);
  }
  c.loss = LossInterval(c);
  FillTables(c);
  FindFastest(c);
  return c;
}

}  // namespace cloudflaredump::compare
