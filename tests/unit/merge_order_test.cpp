// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstring>

#include "extcap/pcap/loser_tree.h"
#include "extcap/pcap/merge.h"
#include "tests/unit/merge_parts.h"

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
      const LoserTree::Key next = random() % 50 == 0 ? LoserTree::kOut : *least + random() % 9;
      keys[tree.winner()] = next;
      tree.ReplaceLeast(next);
    }
  }
}

void PartsAreMergedByNanosecondsWhateverTheirPrecision(void**) {
  PcapBytes micro;
  micro.Record(10, 1, "c").Record(10, 3, "e");
  PcapBytes nano({.magic = 0xa1b23c4d, .big_endian = true});
  nano.Record(10, 999, "b").Record(10, 1001, "d").Record(10, 3001, "f");
  PcapBytes first;
  first.Record(9, 999'999, "a");
  AssertText(Order(MergeFiles({micro.bytes(), nano.bytes(), first.bytes()})), "a b c d e f");
}

void EqualTimesComeInTheOrderOfThePartsAndOfTheFile(void**) {
  PcapBytes a, b, c;
  a.Record(5, 0, "a1").Record(5, 0, "a2").Record(6, 0, "a3");
  b.Record(5, 0, "b1").Record(6, 0, "b2");
  c.Record(5, 0, "c1").Record(5, 0, "c2");
  AssertText(Order(MergeFiles({a.bytes(), b.bytes(), c.bytes()})), "a1 a2 b1 c1 c2 a3 b2");
}

void NothingToMergeIsAnEnd(void**) {
  assert_true(MergeFiles({}).empty());
  assert_true(MergeFiles({PcapBytes().bytes(), PcapBytes().bytes()}).empty());
}

void HeadersAreKnownForTheirPacketsAndStay(void**) {
  PcapBytes file({.magic = 0xa1b23c4d, .link_type = 276});
  file.Record(1, 0, "x");
  Merge merge(Sources({file.bytes(), ToBytes("not pcap at all")}));
  assert_null(merge.header(0));
  assert_true(merge.Next() == Merge::Step::kPacket);
  assert_int_equal(merge.header(0)->link_type, 276);
  assert_true(merge.Next() == Merge::Step::kEnd);
  assert_int_equal(merge.header(0)->link_type, 276);
  assert_null(merge.header(1));
}

void TheLastPacketsAreKnownForTheLast(void**) {
  PcapBytes a, b;
  a.Record(1, 0, "a1").Record(4, 0, "a2");
  b.Record(2, 0, "b1").Record(3, 0, "b2");
  Merge merge(Sources({a.bytes(), b.bytes(), PcapBytes().bytes()}));
  std::string marks;
  while (merge.Next() == Merge::Step::kPacket) {
    marks += ToText(merge.packet().view.bytes);
    if (merge.packet().last_of_part) marks += "!";
    if (merge.packet().last) marks += "!";
    marks += " ";
  }
  AssertText(marks, "a1 b1 b2! a2!! ");
}

void SlightDisorderInAFileIsMended(void**) {
  PcapBytes a, b;
  a.Record(1, 0, "1").Record(4, 0, "4").Record(3, 0, "3").Record(2, 0, "2").Record(6, 0, "6");
  b.Record(5, 0, "5");
  Merge merge(Sources({a.bytes(), b.bytes()}));
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
  Merge merge(Sources({file.bytes()}));
  std::size_t place = 0;
  std::size_t late = 0;
  for (std::size_t i = 0; merge.Next() == Merge::Step::kPacket; ++i) {
    if (merge.packet().view.bytes.size() == 6) place = i;
    late += merge.packet().late ? 1 : 0;
  }
  assert_int_equal(place, 200 - PartReader::kReorder);
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
  const auto given = MergeFiles({a.bytes(), b.bytes()}, 1);
  assert_int_equal(given.size(), 1001);
  AssertText(given.back().data, "ahead");
  for (std::size_t i = 1; i < given.size(); ++i) {
    assert_true(given[i - 1].nanoseconds <= given[i].nanoseconds);
  }
}

void PacketsLargerThanTheWindowAreMergedLikeOthers(void**) {
  std::vector<Bytes> files(5);
  std::vector<Expected> want;
  std::vector<PcapBytes> parts(5);
  // All sizes around that of the window, and the largest of all.
  std::uint32_t now = 1;
  for (const std::size_t size : {4063UL, 4064UL, 4065UL, 4079UL, 4080UL, 4081UL, 4096UL, 10UL,
                                 8192UL, 262144UL, 0UL, 65536UL, 5000UL, 3000UL, 3000UL}) {
    for (std::size_t part = 0; part < 5; ++part, ++now) {
      std::string data(size, static_cast<char>('a' + part));
      parts[part].Record(now, 0, data);
      want.push_back({now * 1'000'000'000ULL, part, static_cast<std::uint32_t>(size), data});
    }
  }
  for (std::size_t part = 0; part < 5; ++part) files[part] = parts[part].bytes();
  AssertSame(MergeFiles(files, 1), want);
  AssertSame(MergeFiles(files), want);
}

void AMergeIsAStableSortOfAllPackets(void**) {
  std::mt19937 random(20260802);
  for (int i = 0; i < 400; ++i) {
    const RandomParts parts(
        random,
        {.parts = 1 + random() % 12, .disorder = random() % 6, .damage = random() % 2 == 0});
    Merge merge(Sources(parts.files));
    AssertSame(Drain(merge), parts.expected);
    for (std::size_t part = 0; part < parts.files.size(); ++part) {
      assert_int_equal(merge.report(part).loss.has_value(), parts.damaged[part]);
      assert_int_equal(merge.report(part).late, 0);
    }
  }
}

void SmallWindowsGiveTheSame(void**) {
  std::mt19937 random(20260803);
  for (int i = 0; i < 200; ++i) {
    // Five packets of at most 150 bytes with their headers are within a quarter of the window.
    const RandomParts parts(random, {.parts = 1 + random() % 12,
                                     .packets = 300,
                                     .longest = 150,
                                     .disorder = random() % 6,
                                     .damage = random() % 2 == 0});
    AssertSame(MergeFiles(parts.files, 1), parts.expected);
  }
}

/// Merges parts whose bytes arrive in random pieces, of whichever part, while it is under way.
std::vector<Expected> MergeAsTheyArrive(std::mt19937& random, const std::vector<Bytes>& files,
                                        std::size_t memory) {
  std::vector<MemoryPart*> arriving;  // The merge may have done with one when all of it came.
  std::vector<std::size_t> left;
  std::vector<std::unique_ptr<PartSource>> sources;
  for (const Bytes& file : files) {
    auto part = std::make_unique<MemoryPart>(file, false);
    arriving.push_back(part.get());
    left.push_back(file.size());
    sources.push_back(std::move(part));
  }
  Merge merge(std::move(sources), memory);
  std::vector<Expected> given;
  for (;;) {
    switch (merge.Next()) {
      case Merge::Step::kPacket:
        given.push_back(Copy(merge.packet()));
        break;
      case Merge::Step::kNeedsBytes: {
        assert_true(left[merge.waits_for()] > 0);
        // Sometimes others first; in the end what it waits for.
        std::size_t part = random() % files.size();
        if (left[part] == 0) part = merge.waits_for();
        const std::size_t size = std::min<std::size_t>(left[part], 1 + random() % 700);
        left[part] -= size;
        arriving[part]->Arrive(size);
        break;
      }
      case Merge::Step::kEnd:
        return given;
    }
  }
}

void TheOrderOfArrivalChangesNothing(void**) {
  std::mt19937 random(20260804);
  for (int i = 0; i < 200; ++i) {
    const RandomParts parts(random,
                            {.parts = 1 + random() % 6, .longest = 150, .disorder = random() % 6});
    AssertSame(MergeAsTheyArrive(random, parts.files, i % 2 == 0 ? 1 : Merge::kMemory),
               parts.expected);
  }
}

void LargePacketsMayArriveInPieces(void**) {
  std::mt19937 random(20260805);
  const RandomParts parts(random, {.parts = 4, .packets = 20, .longest = 20'000});
  AssertSame(MergeAsTheyArrive(random, parts.files, 1), parts.expected);
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheTreeFindsTheLeastAndOfEqualsTheFirst),
      cmocka_unit_test(PartsAreMergedByNanosecondsWhateverTheirPrecision),
      cmocka_unit_test(EqualTimesComeInTheOrderOfThePartsAndOfTheFile),
      cmocka_unit_test(NothingToMergeIsAnEnd),
      cmocka_unit_test(HeadersAreKnownForTheirPacketsAndStay),
      cmocka_unit_test(TheLastPacketsAreKnownForTheLast),
      cmocka_unit_test(SlightDisorderInAFileIsMended),
      cmocka_unit_test(APacketFarBehindComesWhenItIsSeenAndIsCounted),
      cmocka_unit_test(ATimeFarAheadHoldsNothingUp),
      cmocka_unit_test(PacketsLargerThanTheWindowAreMergedLikeOthers),
      cmocka_unit_test(AMergeIsAStableSortOfAllPackets),
      cmocka_unit_test(SmallWindowsGiveTheSame),
      cmocka_unit_test(TheOrderOfArrivalChangesNothing),
      cmocka_unit_test(LargePacketsMayArriveInPieces),
  };
  return cmocka_run_group_tests_name("merge_order", tests, nullptr, nullptr);
}
