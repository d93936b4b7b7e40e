// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/explain.h"

#include <jansson.h>

#include <cstdlib>

#include "common/text.h"
#include "extcap/capture/description.h"

namespace cloudflaredump::capture {
namespace {

/// JSON text is UTF-8; a filter typed in another encoding still gets its plan.
json_t* TextJson(std::string_view text) {
  json_t* json = json_stringn(text.data(), text.size());
  return json != nullptr ? json : json_string(CleanLine(text, text.size() + 3).c_str());
}

}  // namespace

std::string ExplainJson(std::string_view filter, const filter::Plan& plan) {
  json_t* requests = json_array();
  for (const filter::Box& request : plan.requests) {
    json_array_append_new(requests,
                          json_pack("{s:o}", "filter_v1", api::FilterV1Json(ToFilterV1(request))));
  }
  json_t* undocumented = json_array();
  for (const std::string& phrase : plan.undocumented) {
    json_array_append_new(undocumented, json_string(phrase.c_str()));
  }
  json_t* explained = json_pack("{s:o, s:o, s:b, s:b, s:o}", "filter", TextJson(filter), "requests",
                                requests, "exact", plan.exact ? 1 : 0, "broad", plan.broad ? 1 : 0,
                                "undocumented", undocumented);
  char* raw = json_dumps(explained, JSON_COMPACT);
  std::string text = raw != nullptr ? raw : "";
  free(raw);
  json_decref(explained);
  return text;
}

}  // namespace cloudflaredump::capture
