// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/answer_log.h"

#include "tests/unit/results.h"

namespace cloudflaredump::api {
namespace {

void AnAnswerIsLoggedAsItIs(void**) {
  const auto lines =
      LinesForLog(R"({"success": true, "result": {"id": "ab", "extra": [1, null]}})");
  assert_int_equal(lines.size(), 1);
  AssertText(lines[0], R"({"success":true,"result":{"id":"ab","extra":[1,null]}})");
}

void AListIsLoggedItemByItem(void**) {
  const auto lines = LinesForLog(R"({"success": true, "result": [{"id": "a"}, {"id": "b"}]})");
  assert_int_equal(lines.size(), 3);
  AssertText(lines[0], R"({"success":true})");
  AssertText(lines[1], R"({"id":"a"})");
  AssertText(lines[2], R"({"id":"b"})");
}

void ALongListIsCut(void**) {
  std::string items = "1";
  for (int i = 0; i < 400; ++i) items += ",1";
  assert_int_equal(LinesForLog(R"({"result": [)" + items + "]}").size(), 51);
}

void KeysInAddressesAreNotLogged(void**) {
  const std::string address = R"("s3://b/d?region=x\u0026secret-access-key=planted")";
  const std::string hidden = R"("s3://b/d?region=x&secret-access-key=[secret]")";
  AssertText(LinesForLog(R"({"destination_conf":)" + address + "}").at(0),
             R"({"destination_conf":)" + hidden + "}");
  AssertText(LinesForLog(R"({"result":[{"deep":[[)" + address + "]]}]}").at(1),
             R"({"deep":[[)" + hidden + "]]}");
}

void WhatIsNoJsonIsNotLogged(void**) {
  assert_true(LinesForLog("").empty());
  assert_true(LinesForLog("<html>").empty());
  assert_true(LinesForLog(std::string("\xd4\xc3\xb2\xa1\0", 5)).empty());
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnAnswerIsLoggedAsItIs),  cmocka_unit_test(AListIsLoggedItemByItem),
      cmocka_unit_test(ALongListIsCut),          cmocka_unit_test(KeysInAddressesAreNotLogged),
      cmocka_unit_test(WhatIsNoJsonIsNotLogged),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
