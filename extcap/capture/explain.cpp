// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/explain.h"

#include <jansson.h>

#include "common/filter_v1.h"
#include "common/json.h"

namespace cloudflaredump::capture {
std::string ExplainJson(std::string_view filter, const filter::Plan& plan) {
  json_t* requests = json_array();
  for (const filter::Box& request : plan.requests) {
    json_array_append_new(requests,
                          json_pack("{s:o}", "filter_v1", FilterV1Json(ToFilterV1(request))));
  }
  json_t* undocumented = json_array();
  for (const std::string& phrase : plan.undocumented) {
    json_array_append_new(undocumented, MakeJson(phrase));
  }
  const Json explained(json_pack("{s:o, s:o, s:b, s:b, s:o}", "filter", MakeJson(filter),
                                 "requests", requests, "exact", plan.exact ? 1 : 0, "broad",
                                 plan.broad ? 1 : 0, "undocumented", undocumented));
  return DumpJson(explained.get());
}

}  // namespace cloudflaredump::capture
