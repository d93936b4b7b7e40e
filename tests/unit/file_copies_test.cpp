// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/file_copies.h"

#include "tests/unit/pcap_bytes.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

struct Named {
  std::string key;
  PcapBytes pcap;
};

/// What is left of `files`, "a b", and what was said of the others.
std::pair<std::string, std::vector<std::string>> Left(const std::vector<Named>& files,
                                                      bool stopped = false) {
  std::vector<CollectedFile> collected;
  for (const Named& file : files) {
    collected.push_back({.object = {.key = file.key, .size = file.pcap.bytes().size()},
                         .bytes = std::make_unique<pcap::MemoryFile>(ToText(file.pcap.bytes()))});
  }
  const auto said = LeaveOutCopies(collected, [&] { return stopped; });
  std::string keys;
  for (const CollectedFile& file : collected) {
    keys += (keys.empty() ? "" : " ") + file.object.key;
  }
  return {keys, said};
}

PcapBytes Of(std::initializer_list<std::pair<std::uint32_t, const char*>> records,
             const PcapBytes::Form& form = {}) {
  PcapBytes file(form);
  for (const auto& [second, data] : records) file.Record(second, 0, data);
  return file;
}

void AStopEndsTheComparison(void**) {
  const PcapBytes a = Of({{1, "aa"}});
  AssertText(Left({{"a", a}, {"copy", a}}, true).first, "a copy");
}

void ACopyCountsOnce(void**) {
  const PcapBytes a = Of({{1, "aa"}, {3, "bb"}});
  const auto [keys, said] = Left({{"a", a}, {"b", Of({{1, "aa"}, {3, "bc"}})}, {"copy", a}});
  AssertText(keys, "a b");
  AssertText(said.at(0), "copy, a copy of a");
}

/// Idle machines write the same: a header, and nothing in it.
void FilesWithoutPacketsAreNoCopies(void**) {
  const auto [keys, said] = Left({{"a", PcapBytes()}, {"b", PcapBytes()}});
  AssertText(keys, "a b");
  assert_int_equal(said.size(), 0);
}

void TheSameBytesOfAnotherKindAreNoCopy(void**) {
  const auto records = {std::pair<std::uint32_t, const char*>{1, "aa"}};
  const auto [keys, said] = Left({{"a", Of(records)},
                                  {"b", Of(records, {.link_type = 1})},
                                  {"c", Of(records, {.snap_length = 1000})}});
  AssertText(keys, "a b");  // another snap length changes nothing
}

void AFileOfAllOthersIsLeftOut(void**) {
  const auto [keys, said] = Left({{"a", Of({{1, "aa"}, {3, "bb"}})},
                                  {"b", Of({{2, "cc"}})},
                                  {"merged", Of({{1, "aa"}, {2, "cc"}, {3, "bb"}})}});
  AssertText(keys, "a b");
  AssertText(said.at(0), "merged, which holds the packets of the others together");
}

void AFileOfTheSameSizeAsAllOthersIsNotTheirUnion(void**) {
  const auto [keys, said] = Left({{"a", Of({{1, "aa"}, {3, "bb"}})},
                                  {"b", Of({{2, "cc"}})},
                                  {"c", Of({{1, "aa"}, {2, "cd"}, {3, "bb"}})}});
  AssertText(keys, "a b c");
  assert_int_equal(said.size(), 0);
}

void AUnionInMicrosecondsOfFilesInNanosecondsIsFound(void**) {
  PcapBytes::Form nano{.magic = 0xa1b23c4d};
  PcapBytes a(nano), b(nano), merged;
  a.Record(1, 1999, "aa");
  b.Record(1, 3999, "bb");
  merged.Record(1, 1, "aa").Record(1, 3, "bb");
  AssertText(Left({{"a", a}, {"b", b}, {"m", merged}}).first, "a b");
}

void ADamagedFileIsLeftAsItIs(void**) {
  PcapBytes cut = Of({{1, "aa"}, {3, "bb"}});
  cut.Raw("half a record");
  AssertText(Left({{"a", cut}, {"b", Of({{2, "cc"}})}}).first, "a b");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStopEndsTheComparison),
      cmocka_unit_test(ACopyCountsOnce),
      cmocka_unit_test(FilesWithoutPacketsAreNoCopies),
      cmocka_unit_test(TheSameBytesOfAnotherKindAreNoCopy),
      cmocka_unit_test(AFileOfAllOthersIsLeftOut),
      cmocka_unit_test(AFileOfTheSameSizeAsAllOthersIsNotTheirUnion),
      cmocka_unit_test(AUnionInMicrosecondsOfFilesInNanosecondsIsFound),
      cmocka_unit_test(ADamagedFileIsLeftAsItIs),
  };
  return cmocka_run_group_tests_name("file_copies", tests, nullptr, nullptr);
}
