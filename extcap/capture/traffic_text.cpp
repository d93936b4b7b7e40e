// SPDX-License-Identifier: GPL-2.0-or-later
// How a TrafficReport is shown.
#include <glib.h>
#include <jansson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/json.h"
#include "common/text.h"
#include "extcap/capture/traffic_report.h"

namespace cloudflaredump::capture {
namespace {

std::uint64_t Whole(double number) {
  return static_cast<std::uint64_t>(std::llround(std::max(number, 0.0)));
}

std::string Count(double number) {
  return WithThousands(Whole(number));
}

std::string Range(const Share& share) {
  return Format("%.0f-%.0f%%", std::floor(100 * share.low), std::ceil(100 * share.high));
}

std::string Times(const Window& window) {
  return FormatRfc3339(window.start) + " to " + FormatRfc3339(window.end);
}

/// `matching "dst host 203.0.113.7"`, "towards this account"; what was counted, if that is more
/// than the filter.
std::string Which(const TrafficReport& report) {
  const std::string filter = CleanLine(Trim(report.filter));
  if (filter.empty()) return "towards this account";
  if (report.terms.exact) return "matching \"" + filter + "\"";
  const std::string told = report.terms.AsFilter();
  if (told.empty()) return "towards this account (not only \"" + filter + "\")";
  return "matching \"" + told + "\" (not only \"" + filter + "\")";
}

/// How many columns `text` takes on a terminal.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(g_utf8_strlen(text.c_str(), -1));
}

/// "dosd"; with several systems the share of each: "dosd 12%, flowtrackd 7%".
std::string Systems(const ColoTraffic& colo) {
  std::string text;
  for (const auto& [system, count] : colo.dropped_by) {
    text += (text.empty() ? "" : ", ") + system;
    if (colo.dropped_by.size() > 1) text += " " + Percent(ShareOf(count, colo.count).value);
  }
  return text;
}

struct Column {
  const char* title;
  bool right;
};
constexpr Column kColumns[] = {
    {"DATA CENTER", false}, {"SHARE", true},         {"RANGE", true},
    {"LAST 5 MIN", true},   {"PACKETS", true},       {"SAMPLES", true},
    {"DROPPED", true},      {"DROPPED RANGE", true}, {"DROPPED BY", false},
};
using Cells = std::array<std::string, std::size(kColumns)>;

Cells CellsOf(const ColoTraffic& colo, bool with_recent) {
  const bool drops = colo.dropped.packets > 0;
  return {PlaceOf(colo),
          Percent(colo.share.value),
          Range(colo.share),
          with_recent ? Percent(colo.recent_share.value) : "",
          Count(colo.count.packets),
          Count(colo.count.samples),
          Percent(colo.dropped_share.value),
          Range(colo.dropped_share),
          drops ? Systems(colo) : ""};
}

Cells CellsOf(const SiteTraffic& site, const ColoTraffic& colo) {
  Cells cells;
  cells[0] = "  " + site.site + ": " + Percent(ShareOf(site.count, colo.count).value) + " of it";
  return cells;
}

/// Rows as lines, each column as wide as its widest cell; columns without any are left out.
std::string Aligned(const std::vector<Cells>& rows) {
  std::array<std::size_t, std::size(kColumns)> widths = {};
  for (const Cells& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], Width(cells[i]));
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], Width(kColumns[i].title));
  }
  std::string text;
  const auto add = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string cell = cell_of(i);
      const std::string blanks(widths[i] - Width(cell), ' ');
      line += (line.empty() ? "" : "  ") + (kColumns[i].right ? blanks + cell : cell + blanks);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add([](std::size_t i) { return std::string(kColumns[i].title); });
  for (const Cells& cells : rows) add([&](std::size_t i) { return cells[i]; });
  return text;
}

std::string TableText(const TrafficReport& report) {
  std::vector<Cells> rows;
  for (const ColoTraffic& colo : report.table.colos) {
    rows.push_back(CellsOf(colo, report.recent.has_value()));
    if (const SiteTraffic* const site = DominantSite(colo)) rows.push_back(CellsOf(*site, colo));
  }
  return Aligned(rows);
}

/// What moved: a data center whose share of the last minutes is outside the range of the whole
/// window's, beyond what chance explains.
std::vector<std::string> Moves(const TrafficReport& report) {
  std::vector<std::string> moves;
  if (!report.recent || report.table.recent.samples < 1) return moves;
  for (const ColoTraffic& colo : report.table.colos) {
    const bool apart =
        colo.recent_share.low > colo.share.high || colo.recent_share.high < colo.share.low;
    if (!apart) continue;
    moves.push_back(PlaceOf(colo) + " had " + Percent(colo.share.value) +
                    " in the whole window and has " + Percent(colo.recent_share.value) +
                    " in its last five minutes: the route may have moved");
  }
  return moves;
}

/// What a reader must know of the numbers, each a clause.
std::vector<std::string> Notes(const TrafficReport& report) {
  std::vector<std::string> notes;
  if (!report.cut.empty()) notes.push_back("the window is shorter than asked for: " + report.cut);
  if (!report.terms.exact) {
    const std::string told = report.terms.AsFilter();
    notes.push_back("Cloudflare's analytics can express only \"" + told +
                    "\" of this filter, so other packets are counted as well");
    if (told.empty()) {
      notes.back() =
          "Cloudflare's analytics cannot express any part of this filter, so all packets towards "
          "this account are counted";
    }
  }
  if (report.more_rows) notes.emplace_back("the answer was cut, so small data centers are missing");
  for (std::string& move : Moves(report)) notes.push_back(std::move(move));
  if (report.table.dropped.packets > 0) {
    notes.emplace_back(
        "dropped is what Cloudflare's systems dropped; whether a capture has these packets is not "
        "published");
  }
  return notes;
}

std::string BusyText(const TrafficReport& report) {
  std::string text;
  for (const BusyAddress& one : report.busy) {
    text += Format("  %-6s  ", Percent(one.share.value).c_str()) + one.filter +
            (one.ipv6 ? "  (with filter-ipv6 on)" : "") + "\n";
  }
  return text.empty() ? text : "Busiest addresses, as filters that a full capture takes:\n" + text;
}

json_t* Real(double number) {
  constexpr double kDecimals = 10000;
  return json_real(std::round(number * kDecimals) / kDecimals);
}

json_t* Integer(double number) {
  return json_integer(static_cast<json_int_t>(Whole(number)));
}

json_t* RangeJson(const Share& share) {
  return json_pack("[o, o]", Real(share.low), Real(share.high));
}

json_t* WindowJson(const Window& window) {
  return json_pack("{s:o, s:o}", "start", MakeJson(FormatRfc3339(window.start)), "end",
                   MakeJson(FormatRfc3339(window.end)));
}

json_t* SystemsJson(const std::map<std::string, TrafficCount>& dropped_by) {
  json_t* const systems = json_object();
  for (const auto& [system, count] : dropped_by) {
    json_object_set_new(systems, system.c_str(), Integer(count.packets));
  }
  return systems;
}

json_t* ColoJson(const ColoTraffic& colo, bool with_recent) {
  json_t* const sites = json_array();
  for (const SiteTraffic& site : colo.sites) {
    json_array_append_new(sites, json_pack("{s:o, s:o, s:o}", "site", MakeJson(site.site),
                                           "packets", Integer(site.count.packets), "share",
                                           Real(ShareOf(site.count, colo.count).value)));
  }
  json_t* const object = json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "colo", MakeJson(colo.colo), "city",
      MakeJson(colo.city), "packets", Integer(colo.count.packets), "samples",
      Integer(colo.count.samples), "share", Real(colo.share.value), "share_range",
      RangeJson(colo.share), "dropped_share", Real(colo.dropped_share.value), "dropped_range",
      RangeJson(colo.dropped_share), "sites", sites, "dropped_by", SystemsJson(colo.dropped_by));
  if (with_recent) {
    json_object_set_new(object, "recent_share", Real(colo.recent_share.value));
    json_object_set_new(object, "recent_samples", Integer(colo.recent.samples));
  }
  return object;
}

json_t* BusyJson(const std::vector<BusyAddress>& busy) {
  json_t* const list = json_array();
  for (const BusyAddress& one : busy) {
    json_array_append_new(list,
                          json_pack("{s:o, s:o, s:o}", "filter", MakeJson(one.filter), "packets",
                                    Integer(one.count.packets), "share", Real(one.share.value)));
  }
  return list;
}

}  // namespace

std::string ReportAsText(const TrafficReport& report) {
  const TrafficTable& table = report.table;
  const std::string sampled =
      "Cloudflare's analytics keep one packet in about " + Count(table.SampledOneIn());
  std::string text;
  if (table.all.samples < 1) {
    text = "No samples of traffic " + Which(report) + " from " + Times(report.window) + ".\n" +
           "That is not \"no traffic\": " + sampled + ".\n";
  } else {
    text = "Traffic " + Which(report) + " that entered Cloudflare's network from " +
           Times(report.window) + ":\nabout " + Count(table.all.packets) +
           " packets, estimated from " + CountedSamples(table.all.samples) + " (" + sampled +
           ").\n\n" + TableText(report) + "\n";
    text += BusyText(report);
  }
  for (const std::string& note : Notes(report)) text += "Note: " + note + ".\n";
  return text;
}

std::string ReportAsJson(const TrafficReport& report) {
  json_t* const colos = json_array();
  for (const ColoTraffic& colo : report.table.colos) {
    json_array_append_new(colos, ColoJson(colo, report.recent.has_value()));
  }
  json_t* const notes = json_array();
  for (const std::string& note : Notes(report)) json_array_append_new(notes, MakeJson(note));
  const Json object(json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "colos", colos, "window",
      WindowJson(report.window), "sampled", Integer(report.table.SampledOneIn()), "packets",
      Integer(report.table.all.packets), "samples", Integer(report.table.all.samples), "filter",
      MakeJson(report.filter), "counted", MakeJson(report.terms.AsFilter()), "exact",
      report.terms.exact ? 1 : 0, "notes", notes));
  if (report.recent) json_object_set_new(object.get(), "recent", WindowJson(*report.recent));
  if (!report.busy.empty()) json_object_set_new(object.get(), "busiest", BusyJson(report.busy));
  return DumpJson(object.get(), JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

}  // namespace cloudflaredump::capture
