// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/compare_report.h"

#include <set>

#include "common/text.h"
#include "common/version.h"
#include "extcap/compare/verdict_text.h"
#include "extcap/tool/report_text.h"

namespace cloudflaredump::tool {
namespace {

using compare::Comparison;
using compare::TableRow;

constexpr std::size_t kMostRows = 30;

std::string Window(std::int64_t first, std::int64_t last) {
  return BothTimes(WallTime(Duration(first))) + " to " + BothTimes(WallTime(Duration(last)));
}

std::string Table(const char* title, const std::vector<TableRow>& rows) {
  if (rows.empty()) return {};
  std::string text = Format("\n| %s | Compared | Missing | Share |\n|---|---:|---:|---:|\n", title);
  std::size_t shown = 0;
  for (const TableRow& row : rows) {
    if (++shown > kMostRows) break;
    text += Format(
        "| %s | %s | %s | %s |\n", MarkdownText(row.name).c_str(),
        WithThousands(row.compared).c_str(), WithThousands(row.missing).c_str(),
        compare::PercentWords(static_cast<double>(row.missing) / static_cast<double>(row.compared))
            .c_str());
  }
  if (rows.size() > kMostRows) {
    text += Format("\n%s more rows; all with `--json`.\n",
                   WithThousands(rows.size() - kMostRows).c_str());
  }
  return text;
}

std::string CloudflareFile(const compare::Options& options, const Comparison& c) {
  std::string text = "- Cloudflare: " + CodeText(options.cloudflare_file.name) + ", " +
                     (c.cloud.sample() ? "a sample" : "a full capture") + ", " +
                     CountedPackets(c.cloud.records);
  if (!c.cloud.packets().empty()) text += ", " + Window(c.cloud.first(), c.cloud.last());
  text += ", SHA-256 " + DigestText(options.cloudflare_file.path) + "\n";
  std::set<std::string> said;
  for (const CaptureDescription& d : c.cloud.descriptions()) {
    if (!d.pcap_id) continue;
    std::string line = "  - capture " + MarkdownText(*d.pcap_id);
    if (d.colo) line += ", data center " + MarkdownText(*d.colo);
    if (d.capture_filter) line += ", filter \"" + MarkdownText(*d.capture_filter) + "\"";
    if (said.insert(line).second) text += line + "\n";
  }
  return text;
}

}  // namespace

std::string CompareReport(const compare::Options& options, const Comparison& c) {
  std::string text =
      "# Is it Cloudflare or us?\n\n**" + MarkdownText(compare::Headline(c)) + "**\n\n";
  for (const compare::Finding& finding : c.findings) {
    text += "- " + MarkdownText(finding.text) + "\n";
  }
  text += "\n## What was compared\n\n" + CloudflareFile(options, c);
  for (const compare::LocalResult& local : c.locals) {
    text +=
        "- Local: " + CodeText(local.side.file.name) + ", " + CountedPackets(local.side.records);
    if (local.side.has_times) text += ", " + Window(local.side.first, local.side.last);
    text +=
        ", " + compare::ClockWords(local) + ", SHA-256 " + DigestText(local.side.file.path) + "\n";
  }
  if (!options.filter.empty()) text += "- Filter: " + CodeText(options.filter) + "\n";
  for (const compare::Translation& map : options.translations) {
    text += "- Translated: " + compare::PrefixText(map.outside) + " is " +
            compare::PrefixText(map.inside) + "\n";
  }
  for (const compare::Prefix& prefix : options.ours) {
    text += "- Egress: " + compare::PrefixText(prefix) + "\n";
  }
  text += std::string("- Compared by ") + kApplication + "\n\n## Remarks\n\n";
  for (const std::string& remark : compare::Remarks(c)) text += "- " + MarkdownText(remark) + "\n";
  if (c.missing == 0) return text;
  text += "\n## Tables\n";
  text += Table("Destination", c.by_destination);
  text += Table("Size", c.by_size);
  text += Table(compare::TimeTitle(c).c_str(), c.by_second);
  return text;
}

}  // namespace cloudflaredump::tool
