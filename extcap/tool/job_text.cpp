// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/job_text.h"

#include <jansson.h>

#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/destination_conf.h"

namespace cloudflaredump::tool {
namespace {

using Number = std::optional<std::uint64_t>;
using Text = std::optional<std::string>;

/// Calls `text(name, value)` or `number(name, value)` for each field that is set.
template <class TextFn, class NumberFn>
void EachField(const api::PcapJob& job, const TextFn& text, const NumberFn& number) {
  const auto put_text = [&](const char* name, const Text& value) {
    if (value && !value->empty()) text(name, *value);
  };
  const auto put_number = [&](const char* name, const Number& value) {
    if (value) number(name, *value);
  };
  put_text("id", job.id);
  put_text("type", job.type);
  put_text("system", job.system);
  put_text("status", job.status);
  put_text("submitted", job.submitted);
  put_number("time_limit", job.time_limit);
  put_number("packet_limit", job.packet_limit);
  put_number("byte_limit", job.byte_limit);
  put_text("offset_time", job.offset_time);
  put_text("colo_name", job.colo);
  put_text("destination_conf", job.destination_conf.transform(bucket::WithoutKeys));
  put_number("packets_captured", job.packets_captured);
  put_text("stop_requested", job.stop_requested);
  put_text("error_message", job.error_message);
}

}  // namespace

std::string FilterText(const FilterV1& filter) {
  const std::string line = FilterV1Text(filter);
  return line.empty() ? "none" : line;
}

std::string ShortTime(const api::PcapJob& job) {
  const auto time = job.submitted_at();
  return time ? FormatMoment(*time) : "-";
}

std::string JobAsText(const api::PcapJob& job) {
  std::string lines;
  const auto line = [&lines](const char* name, const std::string& value) {
    lines += Format("%-18s %s\n", name, CleanLine(value).c_str());
  };
  EachField(job, line,
            [&](const char* name, std::uint64_t value) { line(name, std::to_string(value)); });
  line("filter_v1", FilterText(job.filter_v1));
  return lines;
}

json_t* JobAsJson(const api::PcapJob& job) {
  json_t* const object = json_object();
  EachField(
      job,
      [object](const char* name, const std::string& value) {
        json_object_set_new(object, name, MakeJson(CleanLine(value)));
      },
      [object](const char* name, std::uint64_t value) {
        json_object_set_new(object, name, MakeJson(value));
      });
  json_object_set_new(object, "filter_v1", FilterV1Json(RedactFilterV1(job.filter_v1)));
  return object;
}

}  // namespace cloudflaredump::tool
