// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/filter_v1.h"

#include <jansson.h>

#include <set>
#include <string>

#include "common/json.h"
#include "common/redact.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

FilterV1 Everything() {
  return {.source_address = "192.0.2.1",
          .destination_address = "2001:db8::1",
          .source_port = 0,
          .destination_port = 65535,
          .protocol = 255};
}

std::string Written(const FilterV1& filter) {
  return DumpJson(Json(FilterV1Json(filter)).get());
}

/// Reads `json`, which must go as `good` says.
FilterV1 ReadBack(const std::string& json, bool good = true) {
  const Json object(json_loads(json.c_str(), JSON_DECODE_ANY, nullptr));
  assert_non_null(object.get());
  FilterV1 filter = Everything();  // What was there before must not stay.
  if (ReadFilterV1(object.get(), filter) != good) fail_msg("%s", json.c_str());
  return filter;
}

void IsWrittenAsTheApiDoes(void**) {
  AssertText(Written(Everything()),
             R"({"source_address":"192.0.2.1","source_port":0,)"
             R"("destination_address":"2001:db8::1","destination_port":65535,"protocol":255})");
  AssertText(Written({}), "{}");
  AssertText(Written({.protocol = 6}), R"({"protocol":6})");
}

void MakesTheRoundTrip(void**) {
  assert_true(ReadBack(Written(Everything())) == Everything());
  assert_true(ReadBack("{}") == FilterV1());
  // Each field alone: none takes another's place.
  const FilterV1 all = Everything();
  for (const FilterV1Field& field : FilterV1Fields()) {
    FilterV1 one;
    std::visit([&](auto member) { one.*member = all.*member; }, field.member);
    assert_true(ReadBack(Written(one)) == one);
    assert_false(one == FilterV1());
  }
}

void EachFieldHasANameAndALabelOfItsOwn(void**) {
  std::set<std::string> names;
  std::set<std::string> labels;
  for (const FilterV1Field& field : FilterV1Fields()) {
    assert_true(names.insert(field.name).second && labels.insert(field.label).second);
  }
  assert_int_equal(names.size(), 5);
}

void NullAndUnknownFieldsAreNotThere(void**) {
  assert_true(ReadBack(R"({"source_address":null,"protocol":17.0,"ttl":[64]})") ==
              FilterV1{.protocol = 17});
}

void WhatIsNotAValueIsUnsetAndSaid(void**) {
  for (const char* json :
       {R"({"source_address":7})", R"({"source_port":"dns"})", R"({"source_port":65536})",
        R"({"destination_port":-1})", R"({"protocol":256})", R"({"protocol":1.5})",
        R"({"protocol":true})", "[]", "null", R"("tcp")"}) {
    assert_true(ReadBack(json, false) == FilterV1());
  }
  assert_true(ReadBack(R"({"protocol":256,"source_port":53})", false) ==
              FilterV1{.source_port = 53});
}

void NumbersOutOfRangeAreNotWritten(void**) {
  AssertText(Written({.source_port = 65536, .destination_port = 53, .protocol = 317}),
             R"({"destination_port":53})");
}

void BytesThatAreNotUtf8AreReplaced(void**) {
  AssertText(Written({.source_address = "\xff"}), "{\"source_address\":\"\ufffd\"}");
}

void ReadsAsALine(void**) {
  AssertText(FilterV1Text({}), "");
  AssertText(FilterV1Text({.destination_address = "192.0.2.1", .protocol = 6}),
             "destination_address 192.0.2.1, protocol 6");
  AssertText(FilterV1Text({.source_address = "a\n{b}"}), "source_address a (b)");
}

void ASecretThatAServerRepeatsStaysOut(void**) {
  RegisterSecret("cfut_filter0123456789");
  const FilterV1 told = {.source_address = "cfut_filter0123456789",
                         .destination_address = "x cfut_filter0123456789\n",
                         .protocol = 6};
  AssertText(FilterV1Text(told),
             "source_address [secret], destination_address x [secret], protocol 6");
  AssertText(Written(RedactFilterV1(told)),
             R"({"source_address":"[secret]","destination_address":"x [secret]","protocol":6})");
  assert_true(RedactFilterV1(Everything()) == Everything());
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(IsWrittenAsTheApiDoes),
      cmocka_unit_test(MakesTheRoundTrip),
      cmocka_unit_test(EachFieldHasANameAndALabelOfItsOwn),
      cmocka_unit_test(NullAndUnknownFieldsAreNotThere),
      cmocka_unit_test(WhatIsNotAValueIsUnsetAndSaid),
      cmocka_unit_test(NumbersOutOfRangeAreNotWritten),
      cmocka_unit_test(BytesThatAreNotUtf8AreReplaced),
      cmocka_unit_test(ReadsAsALine),
      cmocka_unit_test(ASecretThatAServerRepeatsStaysOut),
  };
  return cmocka_run_group_tests_name("filter_v1", tests, nullptr, nullptr);
}
