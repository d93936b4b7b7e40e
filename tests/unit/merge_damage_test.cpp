// SPDX-License-Identifier: GPL-2.0-or-later
// What damaged parts give, on which packet it is said, and that the other parts are whole.
#include "extcap/pcap/merge.h"
#include "extcap/pcap/pcap_parser.h"
#include "tests/unit/merge_parts.h"

namespace cloudflaredump::pcap {
namespace {

/// Each packet's data, and after it what is lost and told with it: "a1 a2[0:…] b1 ".
std::string Tell(Merge& merge) {
  std::string told;
  Merge::Step step;
  while ((step = merge.Next()) == Merge::Step::kPacket || !merge.losses().empty()) {
    if (step == Merge::Step::kPacket) told += ToText(merge.packet().view.bytes);
    for (const PartLoss& loss : merge.losses()) {
      told += "[" + std::to_string(loss.part) + ": " + ClauseOf(loss.error) + "]";
    }
    told += " ";
    if (step == Merge::Step::kEnd) break;
  }
  return told;
}

std::string TellOf(const std::vector<Bytes>& files) {
  Merge merge(Sources(files));
  return Tell(merge);
}

/// Packets a1 and a2, at the times 1 and 3.
PcapBytes PartA() {
  PcapBytes file;
  file.Record(1, 0, "a1").Record(3, 0, "a2");
  return file;
}

/// Packets b1 to b3, at the times 2, 4 and 5.
PcapBytes PartB() {
  PcapBytes file;
  file.Record(2, 0, "b1").Record(4, 0, "b2").Record(5, 0, "b3");
  return file;
}

void WholePartsHaveNothingToTell(void**) {
  AssertText(TellOf({PartA().bytes(), PartB().bytes()}), "a1 b1 a2 b2 b3 ");
}

void ALossIsToldWithTheLastGoodPacketOfItsPart(void**) {
  Bytes cut = PartA().bytes();
  cut.pop_back();
  AssertText(TellOf({cut, PartB().bytes()}),
             "a1[0: the file is cut at byte 59, after 1 packet: 1 of 18 bytes of the last record "
             "are missing; what should follow is lost] b1 b2 b3 ");

  PcapBytes zeros = PartB();
  zeros.Raw(std::string(100, '\0'));
  AssertText(TellOf({PartA().bytes(), zeros.bytes()}),
             "a1 b1 a2 b2 b3[1: the file is damaged at byte 78, after 3 packets: only zeros where "
             "a record should begin; what follows is lost] ");
}

void APartWithoutAnyPacketIsToldWithTheNextPacketOfAnother(void**) {
  AssertText(TellOf({PartA().bytes(), ToBytes("<html>"), {}}),
             "a1[1: this is HTML or XML, not a classic pcap file: it begins with \"<htm\"]"
             "[2: the file is empty, without even a pcap header] a2 ");
}

void LossesThatNoPacketCarriesAreToldAtTheEnd(void**) {
  Merge merge(Sources({{}, ToBytes("{}[]")}));
  assert_true(merge.Next() == Merge::Step::kEnd);
  assert_int_equal(merge.losses().size(), 2);
  assert_int_equal(merge.losses()[1].part, 1);
  AssertContains(ClauseOf(merge.losses()[1].error), "this is JSON");
  assert_true(merge.Next() == Merge::Step::kEnd);
  assert_int_equal(merge.losses().size(), 0);
}

void TheReportOfAPartHasItsLoss(void**) {
  Bytes cut = PartA().bytes();
  cut.resize(cut.size() - 5);
  Merge merge(Sources({cut, PartB().bytes()}));
  Drain(merge);
  AssertContains(merge.report(0).loss->what, "cut at byte 55");
  assert_int_equal(merge.report(0).packets, 1);
  assert_false(merge.report(1).loss.has_value());
  assert_int_equal(merge.report(1).packets, 3);
}

void ALostTransferIsNamedInsteadOfTheCutItMade(void**) {
  for (const std::size_t keep : {0UL, 10UL, 24UL, 42UL, 50UL}) {
    Bytes cut = PartA().bytes();
    cut.resize(keep);
    std::vector<std::unique_ptr<PartSource>> sources = Sources({{}, PartB().bytes()});
    auto part = std::make_unique<MemoryPart>(cut);
    part->failure = Error{.what = "The connection was lost"};
    sources[0] = std::move(part);
    Merge merge(std::move(sources));
    AssertText(Tell(merge), keep < 42 ? "b1[0: The connection was lost] b2 b3 "
                                      : "a1[0: The connection was lost] b1 b2 b3 ");
  }
}

void DamageInWhatArrivedOfALostTransferIsNamedAsWhatItIs(void**) {
  auto part = std::make_unique<MemoryPart>(
      PcapBytes().Record(1, 0, "a1").Header(2, 0, 0x7fffffff, 1).Raw("rubbish").bytes());
  part->failure = Error{.what = "The connection was lost"};
  std::vector<std::unique_ptr<PartSource>> sources;
  sources.push_back(std::move(part));
  Merge merge(std::move(sources));
  AssertContains(Tell(merge), "a record that claims 2,147,483,647 bytes");
}

void AReadErrorKeepsWhatWasReadAndTheOtherParts(void**) {
  PcapBytes file;
  for (std::uint32_t i = 0; i < 100; ++i) file.Record(i + 1, 0, std::string(1000, 'a'));
  std::vector<std::unique_ptr<PartSource>> sources = Sources({{}, PartB().bytes()});
  auto part = std::make_unique<MemoryPart>(file.bytes());
  part->lost_from = 50'000;
  sources[0] = std::move(part);
  Merge merge(std::move(sources), 1);
  std::size_t of_a = 0;
  std::string told;
  while (merge.Next() == Merge::Step::kPacket) {
    of_a += merge.packet().part == 0 ? 1 : 0;
    for (const PartLoss& loss : merge.losses()) {
      told = ClauseOf(loss.error);
      assert_int_equal(merge.packet().part, 0);
      assert_true(merge.packet().last_of_part);
    }
  }
  AssertText(told, "Input/output error");
  // The windows that were read whole: 12 of 4,096 bytes are 49,152.
  assert_in_range(of_a, 44, 49);
  assert_int_equal(merge.report(1).packets, 3);
}

void AReadErrorInALargePacketIsToldWithTheNextOfAnother(void**) {
  PcapBytes file;
  file.Record(1, 0, "a1").Record(2, 1, std::string(60'000, 'a'));
  std::vector<std::unique_ptr<PartSource>> sources = Sources({{}, PartB().bytes()});
  auto part = std::make_unique<MemoryPart>(file.bytes());
  part->lost_from = 30'000;
  sources[0] = std::move(part);
  Merge merge(std::move(sources), 1);
  AssertText(Tell(merge), "a1 b1 b2[0: Input/output error] b3 ");
}

void EveryCutOfAPartKeepsItsWholePacketsAndAllOthers(void**) {
  const Bytes whole = PartB().bytes();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Merge merge(Sources({PartA().bytes(), cut}));
    const std::vector<Expected> given = Drain(merge);
    const std::size_t of_b = size < kFileHeaderSize ? 0 : (size - kFileHeaderSize) / 18;
    assert_int_equal(merge.report(0).packets, 2);
    assert_int_equal(merge.report(1).packets, of_b);
    assert_int_equal(given.size(), 2 + of_b);
    const bool clean = size >= kFileHeaderSize && (size - kFileHeaderSize) % 18 == 0;
    assert_int_equal(merge.report(1).loss.has_value(), !clean);
  }
}

/// The merge and the parser read the same format in two ways: they must agree on any bytes.
void TheMergeAgreesWithTheParserOnAnyDamage(void**) {
  std::mt19937 random(20260806);
  for (int i = 0; i < 3000; ++i) {
    RandomParts parts(random, {.parts = 1, .packets = 12, .longest = 60});
    Bytes file = parts.files[0];
    for (int flips = 0; flips < 3; ++flips) file[random() % file.size()] ^= std::byte(random());
    PcapParser parser;
    std::vector<std::pair<std::uint64_t, std::string>> parsed;
    const auto take = [&](Packet&& packet) {
      parsed.emplace_back(packet.ticks, ToText(packet.bytes));
    };
    Result<void> result = parser.Push(file, take);
    if (result) result = parser.Finish();
    std::stable_sort(parsed.begin(), parsed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });

    Merge merge(Sources({file}));
    std::size_t at = 0;
    while (merge.Next() == Merge::Step::kPacket) {
      assert_true(at < parsed.size());
      assert_int_equal(merge.packet().view.ticks, parsed[at].first);
      AssertText(ToText(merge.packet().view.bytes), parsed[at].second);
      ++at;
    }
    assert_int_equal(at, parsed.size());
    AssertText(merge.report(0).loss ? merge.report(0).loss->what : "",
               result ? "" : ClauseOf(result.error()));
  }
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WholePartsHaveNothingToTell),
      cmocka_unit_test(ALossIsToldWithTheLastGoodPacketOfItsPart),
      cmocka_unit_test(APartWithoutAnyPacketIsToldWithTheNextPacketOfAnother),
      cmocka_unit_test(LossesThatNoPacketCarriesAreToldAtTheEnd),
      cmocka_unit_test(TheReportOfAPartHasItsLoss),
      cmocka_unit_test(ALostTransferIsNamedInsteadOfTheCutItMade),
      cmocka_unit_test(DamageInWhatArrivedOfALostTransferIsNamedAsWhatItIs),
      cmocka_unit_test(AReadErrorKeepsWhatWasReadAndTheOtherParts),
      cmocka_unit_test(AReadErrorInALargePacketIsToldWithTheNextOfAnother),
      cmocka_unit_test(EveryCutOfAPartKeepsItsWholePacketsAndAllOthers),
      cmocka_unit_test(TheMergeAgreesWithTheParserOnAnyDamage),
  };
  return cmocka_run_group_tests_name("merge_damage", tests, nullptr, nullptr);
}
