// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/explain.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

filter::Plan PlanOf(std::string_view text) {
  const auto filter = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse);
  if (!filter) fail_msg("%s: %s", std::string(text).c_str(), SentenceOf(filter.error()).c_str());
  return filter::MakePlan(*filter, {.max_requests = 2});
}

void OneLineOfJsonInAFixedOrder(void**) {
  const char* const text =
      "src host 1.2.3.4 and src port 123 and dst host 5.6.7.8 and dst port 80 and tcp";
  AssertText(ExplainJson(text, PlanOf(text)),
             "{\"filter\":\"src host 1.2.3.4 and src port 123 and dst host 5.6.7.8 and dst port 80 "
             "and tcp\",\"requests\":[{\"filter_v1\":{\"source_address\":\"1.2.3.4\","
             "\"source_port\":123,\"destination_address\":\"5.6.7.8\",\"destination_port\":80,"
             "\"protocol\":6}}],\"exact\":true,\"broad\":false,\"undocumented\":[]}");
  AssertText(ExplainJson("host 1.2.3.4", PlanOf("host 1.2.3.4")),
             "{\"filter\":\"host 1.2.3.4\",\"requests\":["
             "{\"filter_v1\":{\"destination_address\":\"1.2.3.4\"}},"
             "{\"filter_v1\":{\"source_address\":\"1.2.3.4\"}}],"
             "\"exact\":true,\"broad\":false,\"undocumented\":[]}");
}

void AFilterThatHoldsEverythingIsAnEmptyObject(void**) {
  AssertText(ExplainJson("", PlanOf("")),
             "{\"filter\":\"\",\"requests\":[{\"filter_v1\":{}}],\"exact\":true,\"broad\":false,"
             "\"undocumented\":[]}");
}

void WhatCloudflareDoesNotDocumentIsNamed(void**) {
  AssertText(ExplainJson("tcp", PlanOf("tcp")),
             "{\"filter\":\"tcp\",\"requests\":[{\"filter_v1\":{\"protocol\":6}}],\"exact\":false,"
             "\"broad\":false,\"undocumented\":[\"the protocol of IPv6 packets\"]}");
}

void AFilterIsQuotedAndItsOddBytesReplaced(void**) {
  AssertContains(ExplainJson("a\"b\\\xff", PlanOf("")), "\"a\\\"b\\\\\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OneLineOfJsonInAFixedOrder),
      cmocka_unit_test(AFilterThatHoldsEverythingIsAnEmptyObject),
      cmocka_unit_test(WhatCloudflareDoesNotDocumentIsNamed),
      cmocka_unit_test(AFilterIsQuotedAndItsOddBytesReplaced),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
