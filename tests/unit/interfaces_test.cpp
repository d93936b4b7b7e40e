// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/interfaces.h"

#include "tests/unit/results.h"

namespace cloudflaredump {
namespace {

void TheSampleComesFirst(void**) {
  for (const char* colos : {"", "IAD,ORD", "nonsense"}) {
    const CaptureInterface first = ListInterfaces(colos).front();
    AssertText(first.name, "cloudflare-sample");
    AssertText(first.display, "Cloudflare sample: all data centers, last 5 min, first 160 bytes");
    assert_true(first.kind == InterfaceKind::kSample);
    AssertText(first.colo, "");
  }
}

void EveryListedInterfaceIsFound(void**) {
  for (const CaptureInterface& listed : ListInterfaces("IAD,ord02")) {
    const CaptureInterface found = ValueOf(FindInterface(listed.name));
    AssertText(found.name, listed.name);
    AssertText(found.display, listed.display);
    assert_true(found.kind == listed.kind);
  }
}

void AnUnknownInterfaceIsRefusedWithThoseThatThereAre(void**) {
  for (const char* bad : {"", "cloudflare", "cloudflare-", "cloudflare-sampl", "eth0", "sample"}) {
    AssertFails(FindInterface(bad), Error::Kind::kUsage, "cloudflare-sample");
  }
  AssertFails(FindInterface("a}{b\n"), Error::Kind::kUsage, "there is no interface \"a)(b\"");
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

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheSampleComesFirst),
      cmocka_unit_test(EveryListedInterfaceIsFound),
      cmocka_unit_test(AnUnknownInterfaceIsRefusedWithThoseThatThereAre),
      cmocka_unit_test(ColosAreThreeLettersAndAtMostThreeDigits),
  };
  return cmocka_run_group_tests_name("interfaces", tests, nullptr, nullptr);
}
