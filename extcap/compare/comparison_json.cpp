// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>

#include <cmath>

#include "common/json.h"
#include "common/text.h"
#include "extcap/compare/verdict_text.h"

namespace cloudflaredump::compare {
namespace {

json_t* Text(const std::string& text) {
  return MakeJson(CleanLine(text, 4000));
}

/// Rounded, so that the text is short and the same everywhere.
json_t* Real(double number, double unit) {
  return json_real(std::round(number / unit) * unit);
}

void SetClock(json_t* object, const Clock& clock, const std::vector<ClockSetting>& set) {
  const bool known = clock.pairs > 0;
  json_object_set_new(object, "clock_offset_seconds",
                      known ? Real(static_cast<double>(clock.offset) / 1e9, 1e-6) : json_null());
  json_object_set_new(object, "drift_ppm", known ? Real(clock.drift * 1e6, 1e-3) : json_null());
  json_t* const clock_set = json_array();
  for (const ClockSetting& setting : set) {
    json_t* const entry = json_object();
    json_object_set_new(entry, "at", Text(FormatRfc3339(WallTime(Duration(setting.at)))));
    json_object_set_new(entry, "seconds", Real(static_cast<double>(setting.by) / 1e9, 1e-6));
    json_array_append_new(clock_set, entry);
  }
  json_object_set_new(object, "clock_set", clock_set);
}

json_t* LocalAsJson(const LocalResult& local) {
  json_t* const object = json_object();
  json_object_set_new(object, "file", Text(local.side.file.name));
  json_object_set_new(object, "packets", MakeJson(local.side.records));
  SetClock(object, local.clock, local.side.settings);
  json_object_set_new(object, "duplicates", MakeJson(local.counts.duplicates));
  json_object_set_new(object, "merged_by_offload", MakeJson(local.counts.merged));
  json_object_set_new(object, "acknowledged", MakeJson(local.counts.acknowledged));
  json_object_set_new(object, "encrypted", MakeJson(local.side.encrypted));
  json_object_set_new(object, "cut_too_short", MakeJson(local.side.too_short));
  json_object_set_new(object, "dropped_by_capture",
                      local.side.dropped ? MakeJson(*local.side.dropped) : json_null());
  json_t* const points = json_array();
  for (const LocalPoint& point : local.side.points) {
    if (point.matched == 0) continue;
    json_t* const entry = json_object();
    json_object_set_new(entry, "name", Text(point.name));
    json_object_set_new(entry, "arrived", MakeJson(point.matched));
    json_array_append_new(points, entry);
  }
  json_object_set_new(object, "points", points);
  json_t* const tunnels = json_array();
  for (const Endpoint& endpoint : local.side.endpoints) {
    if (endpoint.arrived == 0) continue;
    json_t* const entry = json_object();
    json_object_set_new(entry, "source", Text(endpoint.source.ToString()));
    json_object_set_new(entry, "destination", Text(endpoint.destination.ToString()));
    if (endpoint.gre_key != 0) json_object_set_new(entry, "key", MakeJson(endpoint.gre_key));
    json_object_set_new(entry, "arrived", MakeJson(endpoint.arrived));
    json_array_append_new(tunnels, entry);
  }
  json_object_set_new(object, "tunnels", tunnels);
  if (!local.side.damage.empty()) json_object_set_new(object, "damage", Text(local.side.damage));
  return object;
}

json_t* FindingAsJson(const Finding& finding) {
  json_t* const object = json_object();
  json_object_set_new(object, "kind", Text(finding.kind));
  json_object_set_new(object, "text", Text(finding.text));
  json_object_set_new(object, "lost", MakeJson(finding.lost));
  json_object_set_new(object, "of", MakeJson(finding.of));
  if (finding.threshold) {
    json_object_set_new(object, "threshold", MakeJson(*finding.threshold));
  } else if (!finding.value.empty()) {
    json_object_set_new(object, "value", Text(finding.value));
  }
  return object;
}

json_t* TableAsJson(const std::vector<TableRow>& rows, const char* key) {
  json_t* const array = json_array();
  for (const TableRow& row : rows) {
    json_t* const entry = json_object();
    json_object_set_new(entry, key, Text(row.name));
    json_object_set_new(entry, "compared", MakeJson(row.compared));
    json_object_set_new(entry, "arrived", MakeJson(row.compared - row.missing));
    json_object_set_new(entry, "missing", MakeJson(row.missing));
    json_array_append_new(array, entry);
  }
  return array;
}

}  // namespace

std::string ComparisonJson(const Comparison& c) {
  const Json object(json_object());
  const auto set = [&object](const char* key, json_t* value) {
    json_object_set_new(object.get(), key, value);
  };
  set("verdict", Text(Headline(c)));
  set("filter", Text(c.filter));
  set("sample", json_boolean(c.cloud.sample()));
  set("compared", MakeJson(c.compared));
  set("arrived", MakeJson(c.arrived));
  set("missing", MakeJson(c.missing));
  set("not_covered", MakeJson(c.not_covered));
  set("egress", MakeJson(c.egress));
  set("translated", MakeJson(c.translated));
  set("duplicates", MakeJson(c.duplicates));
  set("in_fragments", MakeJson(c.in_fragments));
  set("merged_by_offload", MakeJson(c.merged));
  set("acknowledged", MakeJson(c.acknowledged));
  set("retransmitted", MakeJson(c.repeated));
  set("filtered_out", MakeJson(c.cloud.filtered_out));
  set("cut_too_short", MakeJson(c.cloud.too_short));
  set("loss_percent", c.compared > 0 ? Real(c.loss_percent, 1e-6) : json_null());
  set("loss_low", c.compared > 0 ? Real(100 * c.loss.low, 1e-6) : json_null());
  set("loss_high", c.compared > 0 ? Real(100 * c.loss.high, 1e-6) : json_null());
  // Of the file that most packets were found in; each file's own is in `locals`.
  Clock clock;
  std::vector<ClockSetting> clock_set;
  for (const LocalResult& local : c.locals) {
    if (local.clock.pairs <= clock.pairs) continue;
    clock = local.clock;
    clock_set = local.side.settings;
  }
  SetClock(object.get(), clock, clock_set);
  json_t* const locals = json_array();
  for (const LocalResult& local : c.locals) json_array_append_new(locals, LocalAsJson(local));
  set("locals", locals);
  json_t* const findings = json_array();
  for (const Finding& finding : c.findings) {
    json_array_append_new(findings, FindingAsJson(finding));
  }
  set("findings", findings);
  set("by_destination", TableAsJson(c.by_destination, "destination"));
  set("by_size", TableAsJson(c.by_size, "size"));
  set("by_second", TableAsJson(c.by_second, "second"));
  if (!c.not_comparable.empty()) set("not_comparable", Text(c.not_comparable));
  if (!c.cloud.damage().empty()) set("damage", Text(c.cloud.damage()));
  return DumpJson(object.get(), JSON_INDENT(2) | JSON_REAL_PRECISION(12));
}

}  // namespace cloudflaredump::compare
