// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/interfaces.h"

#include "tests/unit/results.h"

namespace cloudflaredump::config {
namespace {

/// The names of what `colos` lists, without their common beginning, a blank between two.
std::string Listed(const std::string& colos) {
  std::string names;
  for (const CaptureInterface& interface : ListInterfaces(colos)) {
    constexpr std::string_view kPrefix = "cloudflare-";
    AssertText(interface.name.substr(0, kPrefix.size()), kPrefix);
    names += (names.empty() ? "" : " ") + interface.name.substr(kPrefix.size());
  }
  return names;
}

void TheFixedOnesComeFirst(void**) {
  const std::vector<CaptureInterface> fixed = ListInterfaces("");
  assert_int_equal(fixed.size(), 4);
  AssertText(fixed[0].name, "cloudflare-sample");
  AssertText(fixed[0].display, "Cloudflare sample: all data centers, last 5 min, first 160 bytes");
  assert_true(fixed[0].kind == InterfaceKind::kSample);
  AssertText(fixed[1].name, "cloudflare-live");
  AssertText(fixed[1].display,
             "Cloudflare live sample: all data centers, one to two minutes behind");
  assert_true(fixed[1].kind == InterfaceKind::kLive);
  AssertText(fixed[2].name, "cloudflare-full");
  assert_true(fixed[2].kind == InterfaceKind::kFull);
  AssertText(fixed[3].name, "cloudflare-download");
  AssertText(fixed[3].display, "Cloudflare: download an earlier capture");
  assert_true(fixed[3].kind == InterfaceKind::kDownload);
  for (const CaptureInterface& interface : fixed) AssertText(interface.colo, "");
}

void DataCentersFollowInTheUsersOrderAndSpelling(void**) {
  AssertText(Listed("ORD,ord02,FRA"), "sample live full download ORD ord02 FRA");
  AssertText(Listed(" sin , IAD\t"), "sample live full download sin IAD");
  const CaptureInterface colo = ListInterfaces("ord02").back();
  AssertText(colo.display, "Cloudflare ord02 (Chicago): full capture via your bucket");
  AssertText(colo.colo, "ord02");
  assert_true(colo.kind == InterfaceKind::kColo);
}

/// New ones open every month.
void UnknownDataCentersOfTheRightShapeAreTaken(void**) {
  AssertText(ListInterfaces("QQQ").back().display, "Cloudflare QQQ: full capture via your bucket");
}

void WhatIsNoDataCenterOrRepeatedIsLeftOut(void**) {
  for (const char* none : {"", ",", " ", "nonsense", "OR", "../x", "a}{b"}) {
    AssertText(Listed(none), "sample live full download");
  }
  // Wireshark's preferences are in lower case: ORD and ord would be one.
  AssertText(Listed("ORD,,ord,x,ORD,ord01,Ord"), "sample live full download ORD ord01");
}

void ADataCenterThatIsNotListedIsFound(void**) {
  const CaptureInterface lower = ValueOf(FindInterface("cloudflare-ord"));
  AssertText(lower.name, "cloudflare-ord");
  AssertText(lower.colo, "ORD");
  AssertText(lower.display, "Cloudflare ORD (Chicago): full capture via your bucket");
  const CaptureInterface found = ValueOf(FindInterface("cloudflare-ams01"));
  assert_true(found.kind == InterfaceKind::kColo);
  AssertText(found.colo, "ams01");
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
  for (const char* bad :
       {"", "cloudflare", "cloudflare-", "cloudflare-sampl", "eth0", "sample", "cloudflare-ORDX"}) {
    AssertFails(FindInterface(bad), Error::Kind::kUsage, "cloudflare-sample");
  }
  AssertFails(FindInterface("a}{b\n"), Error::Kind::kUsage, "there is no interface \"a)(b\"");
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFixedOnesComeFirst),
      cmocka_unit_test(DataCentersFollowInTheUsersOrderAndSpelling),
      cmocka_unit_test(UnknownDataCentersOfTheRightShapeAreTaken),
      cmocka_unit_test(WhatIsNoDataCenterOrRepeatedIsLeftOut),
      cmocka_unit_test(ADataCenterThatIsNotListedIsFound),
      cmocka_unit_test(EveryListedInterfaceIsFound),
      cmocka_unit_test(AnUnknownInterfaceIsRefusedWithThoseThatThereAre),
  };
  return cmocka_run_group_tests_name("interfaces", tests, nullptr, nullptr);
}
