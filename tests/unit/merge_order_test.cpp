// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/loser_tree.h"
#include "extcap/pcap/merge.h"
#include "tests/unit/merge_files.h"

namespace cloudflaredump::pcap {
namespace {

void TheTreeFindsTheLeastAndOfEqualsTheFirst(void**) {
  std::mt19937 random(1);
  for (std::size_t count = 1; count < 70; ++count) {
    std::vector<LoserTree::Key> keys(count);
    for (auto& key : keys) key = random() % 20;
    LoserTree tree(keys);
    for (int i = 0; i < 200; ++i) {
      const auto least = std::min_element(keys.begin(), keys.end());
      assert_int_equal(tree.least(), *least);
      assert_int_equal(tree.winner(), least - keys.begin());
      std::vector<LoserTree::Key> others = keys;
      others[tree.winner()] = LoserTree::kOut;
      const auto second = std::min_element(others.begin(), others.end());
      assert_int_equal(tree.runner_up(),
                       *second == LoserTree::kOut ? tree.winner() : second - others.begin());
      const LoserTree::Key next = random() % 50 == 0 ? LoserTree::kOut : *least + random() % 9;
      keys[tree.winner()] = next;
      tree.ReplaceLeast(next);
    }
  }
}

void FilesAreMergedByNanosecondsWhateverTheirPrecision(void**) {
  PcapBytes micro;
  micro.Record(10, 1, "c").Record(10, 3, "e");
  PcapBytes nano({.magic = 0xa1b23c4d, .big_endian = true});
  nano.Record(10, 999, "b").Record(10, 1001, "d").Record(10, 3001, "f");
  PcapBytes first;
  first.Record(9, 999'999, "a");
  AssertText(Order(MergeAll(InMemory({micro.bytes(), nano.bytes(), first.bytes()}))),
             "a b c d e f");
}

void EqualTimesComeInTheOrderOfTheFilesAndOfTheirRecords(void**) {
  PcapBytes a, b, c;
  a.Record(5, 0, "a1").Record(5, 0, "a2").Record(6, 0, "a3");
  b.Record(5, 0, "b1").Record(6, 0, "b2");
  c.Record(5, 0, "c1").Record(5, 0, "c2");
  AssertText(Order(MergeAll(InMemory({a.bytes(), b.bytes(), c.bytes()}))), "a1 a2 b1 c1 c2 a3 b2");
}

void NothingToMergeIsAnEnd(void**) {
  assert_true(MergeAll({}).empty());
  assert_true(MergeAll(InMemory({PcapBytes().bytes(), PcapBytes().bytes()})).empty());
}

void HeadersAreKnownForTheirPacketsAndStay(void**) {
  PcapBytes file({.magic = 0xa1b23c4d, .link_type = 276});
  file.Record(1, 0, "x");
  Merge merge(InMemory({file.bytes(), ToBytes("not pcap at all")}));
  assert_null(merge.header(0));
  assert_true(merge.Next());
  assert_int_equal(merge.header(0)->link_type, 276);
  assert_false(merge.Next());
  assert_int_equal(merge.header(0)->link_type, 276);
  assert_null(merge.header(1));
}

void SlightDisorderInAFileIsPutRight(void**) {
  PcapBytes a, b;
  a.Record(1, 0, "1").Record(4, 0, "4").Record(3, 0, "3").Record(2, 0, "2").Record(6, 0, "6");
  b.Record(5, 0, "5");
  Merge merge(InMemory({a.bytes(), b.bytes()}));
  AssertText(Order(Drain(merge)), "1 2 3 4 5 6");
  assert_int_equal(merge.report(0).late, 0);
  assert_int_equal(merge.report(0).packets, 5);
  assert_int_equal(merge.report(0).first_nanoseconds, 1'000'000'000);
  assert_int_equal(merge.report(0).last_nanoseconds, 6'000'000'000);
}

void APacketFarBehindComesWhenItIsSeenAndIsCounted(void**) {
  PcapBytes file;
  for (std::uint32_t i = 0; i < 200; ++i) file.Record(1000 + i, 0, "x");
  file.Record(500, 0, "behind");
  for (std::uint32_t i = 0; i < 100; ++i) file.Record(2000 + i, 0, "y");
  Merge merge(InMemory({file.bytes()}));
  std::size_t place = 0;
  std::size_t late = 0;
  for (std::size_t i = 0; merge.Next(); ++i) {
    if (merge.packet().view.bytes.size() == 6) place = i;
    late += merge.packet().late ? 1 : 0;
  }
  assert_int_equal(place, 200 - FileReader::kReorder);
  assert_int_equal(late, 1);
  assert_int_equal(merge.report(0).late, 1);
  assert_int_equal(merge.report(0).packets, 301);
}

void ATimeFarAheadHoldsNothingUp(void**) {
  PcapBytes a({.snap_length = 100}), b;
  for (std::uint32_t i = 0; i < 500; ++i) {
    a.Record(1000 + i, 0, "a" + std::to_string(i));
    b.Record(1000 + i, 1, "b" + std::to_string(i));
    if (i == 10) a.Record(0xffffffff, 0, "ahead");
  }
  for (const bool windows : {false, true}) {
    const std::vector<Bytes> files = {a.bytes(), b.bytes()};
    const auto given = MergeAll(windows ? ThroughWindows(files) : InMemory(files), 1);
    assert_int_equal(given.size(), 1001);
    AssertText(given.back().data, "ahead");
    for (std::size_t i = 1; i < given.size(); ++i) {
      assert_true(given[i - 1].nanoseconds <= given[i].nanoseconds);
    }
  }
}

void PacketsLargerThanTheWindowAreMergedLikeOthers(void**) {
  std::vector<Bytes> files(5);
  std::vector<Expected> want;
  std::vector<PcapBytes> written(5);
  // All sizes around those of windows and of a quarter of one, and the largest of all.
  std::uint32_t now = 1;
  for (const std::size_t size :
       {2007UL, 2008UL, 2009UL, 2031UL,   2032UL, 2033UL,  2047UL, 2048UL, 2049UL,
        495UL,  496UL,  497UL,  4063UL,   4064UL, 4065UL,  4079UL, 4080UL, 4081UL,
        4096UL, 10UL,   8192UL, 262144UL, 0UL,    65536UL, 5000UL, 3000UL, 3000UL}) {
    for (std::size_t file = 0; file < 5; ++file, ++now) {
      std::string data(size, static_cast<char>('a' + file));
      written[file].Record(now, 0, data);
      want.push_back({now * 1'000'000'000ULL, file, static_cast<std::uint32_t>(size), data});
    }
  }
  for (std::size_t file = 0; file < 5; ++file) files[file] = written[file].bytes();
  AssertSame(MergeAll(ThroughWindows(files), 1), want);
  AssertSame(MergeAll(ThroughWindows(files)), want);
  AssertSame(MergeAll(InMemory(files), 1), want);
}

void AMergeIsAStableSortOfAllPackets(void**) {
  std::mt19937 random(20260802);
  for (int i = 0; i < 400; ++i) {
    const RandomFiles made(
        random,
        {.files = 1 + random() % 12, .disorder = random() % 6, .damage = random() % 2 == 0});
    Merge merge(i % 2 == 0 ? InMemory(made.files) : ThroughWindows(made.files));
    AssertSame(Drain(merge), made.expected);
    assert_int_equal(merge.files(), made.files.size());
    for (std::size_t file = 0; file < made.files.size(); ++file) {
      assert_int_equal(merge.report(file).loss.has_value(), made.damaged[file]);
      assert_int_equal(merge.report(file).late, 0);
    }
  }
}

void FilesPutInOrderWholeAreMergedInOrder(void**) {
  std::mt19937 random(20260811);
  for (int i = 0; i < 100; ++i) {
    const RandomFiles made(random, {.files = 1 + random() % 4,
                                    .packets = 400,
                                    .longest = 100,
                                    .disorder = 400,
                                    .damage = random() % 2 == 0});
    Merge merge(i % 2 == 0 ? InMemory(made.files) : ThroughWindows(made.files), 1,
                FileReader::Order::kWhole);
    const std::vector<Expected> given = Drain(merge);
    assert_int_equal(given.size(), made.expected.size());
    for (std::size_t at = 0; at < given.size(); ++at) {
      assert_int_equal(given[at].nanoseconds, made.expected[at].nanoseconds);
      assert_int_equal(given[at].file, made.expected[at].file);
    }
    for (std::size_t file = 0; file < made.files.size(); ++file) {
      assert_int_equal(merge.report(file).late, 0);
    }
  }
}

void SmallWindowsGiveTheSame(void**) {
  std::mt19937 random(20260803);
  for (int i = 0; i < 200; ++i) {
    // Five packets of at most 100 bytes with their headers are within a quarter of the window.
    const RandomFiles made(random, {.files = 1 + random() % 12,
                                    .packets = 300,
                                    .longest = 100,
                                    .disorder = random() % 6,
                                    .damage = random() % 2 == 0});
    AssertSame(MergeAll(ThroughWindows(made.files), 1), made.expected);
    AssertSame(MergeAll(ThroughWindows(made.files), made.files.size() * (random() % 9000)),
               made.expected);
  }
}

void LargePacketsAreReadWhereTheyAre(void**) {
  std::mt19937 random(20260805);
  for (int i = 0; i < 20; ++i) {
    const RandomFiles made(random, {.files = 4, .packets = 20, .longest = 20'000});
    AssertSame(MergeAll(ThroughWindows(made.files), 1), made.expected);
  }
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheTreeFindsTheLeastAndOfEqualsTheFirst),
      cmocka_unit_test(FilesAreMergedByNanosecondsWhateverTheirPrecision),
      cmocka_unit_test(EqualTimesComeInTheOrderOfTheFilesAndOfTheirRecords),
      cmocka_unit_test(NothingToMergeIsAnEnd),
      cmocka_unit_test(HeadersAreKnownForTheirPacketsAndStay),
      cmocka_unit_test(SlightDisorderInAFileIsPutRight),
      cmocka_unit_test(APacketFarBehindComesWhenItIsSeenAndIsCounted),
      cmocka_unit_test(ATimeFarAheadHoldsNothingUp),
      cmocka_unit_test(PacketsLargerThanTheWindowAreMergedLikeOthers),
      cmocka_unit_test(AMergeIsAStableSortOfAllPackets),
      cmocka_unit_test(FilesPutInOrderWholeAreMergedInOrder),
      cmocka_unit_test(SmallWindowsGiveTheSame),
      cmocka_unit_test(LargePacketsAreReadWhereTheyAre),
  };
  return cmocka_run_group_tests_name("merge_order", tests, nullptr, nullptr);
}
