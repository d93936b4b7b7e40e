// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/originals.h"

#include <filesystem>

#include "common/redact.h"
#include "tests/unit/capture_fixture.h"

namespace cloudflaredump::capture {
namespace {

struct Scene : CaptureFixture {
  /// Keeps `bytes` under `key`.
  void Keep(const std::string& key, const std::string& bytes, bool whole = true) {
    With("cloudflare-ORD", Given({{config::Opt::kKeepOriginals, kept}}), "",
         [&](const CaptureContext& context) {
           pcap::MemoryFile file(bytes);
           if (!whole) file.SetLoss({.what = "cut"});
           Originals(context).Keep(key, file);
           return 0;
         });
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(kept)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  const std::string kept = folder / "kept/here";
};

void AFileIsKeptByItsNameForItsOwnerAlone(void**) {
  Scene f;
  f.Keep("pcap_a.pcap", std::string(3 << 20, 'x'));
  AssertText(ReadFile(f.kept + "/pcap_a.pcap"), std::string(3 << 20, 'x'));
  assert_int_equal(ModeOf(f.kept + "/pcap_a.pcap"), 0600);
  assert_int_equal(ModeOf(f.kept), 0700);
}

void AFileThatIsThereIsNeverReplaced(void**) {
  Scene f;
  f.Keep("a.pcap", "evidence");
  f.Keep("a.pcap", "other");
  AssertText(ReadFile(f.kept + "/a.pcap"), "evidence");
  assert_int_equal(f.reporter.warnings.size(), 1);
  AssertContains(f.reporter.warnings[0], "File exists already, and stays as it is");
}

void OddKeysGetNamesThatNeverJoin(void**) {
  Scene f;
  f.Keep("dir/a.pcap", "1");
  f.Keep("dir_a.pcap", "2");
  f.Keep("../../etc/passwd", "3");
  f.Keep(".hidden", "4");
  f.Keep(std::string(300, 'k') + "1", "5");
  f.Keep(std::string(300, 'k') + "2", "6");
  const auto names = f.Names();
  assert_int_equal(names.size(), 6);
  for (const std::string& name : names) {
    assert_true(name.front() != '.' && name.size() < 255);
  }
  assert_int_equal(f.reporter.warnings.size(), 0);
}

void WhatIsNotWholeIsNamedSo(void**) {
  Scene f;
  f.Keep("a.pcap", "half", false);
  AssertText(f.Names().at(0), "a.pcap.incomplete");
}

void SecretsDoNotBecomeNames(void**) {
  Scene f;
  RegisterSecret("planted-secret-in-a-key");
  f.Keep("pcap_planted-secret-in-a-key.pcap", "x");
  AssertLacks(f.Names().at(0), "planted-secret-in-a-key");
}

void WithoutAFolderNothingIsKept(void**) {
  CaptureFixture f;
  f.With("cloudflare-ORD", {}, "", [&](const CaptureContext& context) {
    pcap::MemoryFile file("x");
    Originals(context).Keep("a", file);
    return 0;
  });
  assert_int_equal(f.reporter.warnings.size(), 0);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AFileIsKeptByItsNameForItsOwnerAlone),
      cmocka_unit_test(AFileThatIsThereIsNeverReplaced),
      cmocka_unit_test(OddKeysGetNamesThatNeverJoin),
      cmocka_unit_test(WhatIsNotWholeIsNamedSo),
      cmocka_unit_test(SecretsDoNotBecomeNames),
      cmocka_unit_test(WithoutAFolderNothingIsKept),
  };
  return cmocka_run_group_tests_name("originals", tests, nullptr, nullptr);
}
