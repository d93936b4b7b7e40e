// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/colos.h"

#include <set>

#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

void CitiesAreFoundByTheirCode(void**) {
  const Colo* const colo = FindColo("ORD");
  assert_non_null(colo);
  AssertText(colo->code, "ORD");
  AssertText(colo->city, "Chicago");
  AssertText(colo->country, "United States");
}

void SingleSitesAreFoundByTheirLetters(void**) {
  for (const char* name : {"ord02", "Ord", "ORD123"}) {
    assert_ptr_equal(FindColo(name), FindColo("ORD"));
  }
  AssertText(FindColo("fra06")->city, "Frankfurt");
}

void FirstAndLastOfTheTableAreFound(void**) {
  for (const Colo& colo : {AllColos().front(), AllColos().back()}) {
    AssertText(FindColo(colo.code)->city, colo.city);
  }
}

void OtherTextIsNoDataCenter(void**) {
  for (const char* name :
       {"", "OR", "ORDX", "ord0234", "o2d", "or d", "QQQ", "AAA", "\xc3\x96RD", "ORD\n"}) {
    if (FindColo(name) != nullptr) fail_msg("\"%s\" was found", name);
  }
}

void ColosAreThreeLettersAndAtMostThreeDigits(void**) {
  for (const char* good : {"ORD", "ord", "Ord", "ord02", "SFO6", "ams001"}) {
    assert_true(IsColoShape(good));
  }
  for (const char* bad :
       {"", "OR", "ORDE", "ORD0021", "0RD", "OR2", "ord-02", "ord 2", " ORD", "ORD\n", "ÖRD"}) {
    assert_false(IsColoShape(bad));
  }
}

void TableIsWholeAndEachRowSaysWhere(void**) {
  assert_int_equal(AllColos().size(), 340);
  std::set<std::string_view> codes;
  for (const Colo& colo : AllColos()) {
    assert_int_equal(colo.code.size(), 3);
    assert_false(colo.city.empty());
    assert_false(colo.country.empty());
    assert_true(codes.insert(colo.code).second);
    assert_ptr_equal(FindColo(colo.code), &colo);
  }
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CitiesAreFoundByTheirCode),
      cmocka_unit_test(SingleSitesAreFoundByTheirLetters),
      cmocka_unit_test(FirstAndLastOfTheTableAreFound),
      cmocka_unit_test(OtherTextIsNoDataCenter),
      cmocka_unit_test(ColosAreThreeLettersAndAtMostThreeDigits),
      cmocka_unit_test(TableIsWholeAndEachRowSaysWhere),
  };
  return cmocka_run_group_tests_name("colos", tests, nullptr, nullptr);
}
