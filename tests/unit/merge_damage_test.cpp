// SPDX-License-Identifier: GPL-2.0-or-later
// What damaged files give, on which packet it is said, and that the other files are whole.
#include "extcap/pcap/merge.h"
#include "tests/unit/merge_files.h"

namespace cloudflaredump::pcap {
namespace {

/// Each packet's data, and after it what is lost and told with it: "a1 a2[0:…] b1 ".
std::string Tell(Merge& merge) {
  std::string told;
  bool more = true;
  while ((more = merge.Next()) || !merge.losses().empty()) {
    if (more) told += ToText(merge.packet().view.bytes);
    for (const FileLoss& loss : merge.losses()) {
      told += "[" + std::to_string(loss.file) + ": " + ClauseOf(loss.error) + "]";
    }
    told += " ";
    if (!more) break;
  }
  return told;
}

std::string TellOf(const std::vector<Bytes>& files) {
  Merge merge(InMemory(files));
  std::string told = Tell(merge);
  Merge windows(ThroughWindows(files), 1);
  AssertText(Tell(windows), told);
  return told;
}

/// Packets a1 and a2, at the times 1 and 3.
PcapBytes FileA() {
  PcapBytes file;
  file.Record(1, 0, "a1").Record(3, 0, "a2");
  return file;
}

/// Packets b1 to b3, at the times 2, 4 and 5.
PcapBytes FileB() {
  PcapBytes file;
  file.Record(2, 0, "b1").Record(4, 0, "b2").Record(5, 0, "b3");
  return file;
}

void WholeFilesHaveNothingToTell(void**) {
  AssertText(TellOf({FileA().bytes(), FileB().bytes()}), "a1 b1 a2 b2 b3 ");
}

void ALossIsToldWithTheLastGoodPacketOfItsFile(void**) {
  Bytes cut = FileA().bytes();
  cut.pop_back();
  AssertText(TellOf({cut, FileB().bytes()}),
             "a1[0: the file is cut at byte 59, after 1 packet: 1 of 18 bytes of the last record "
             "are missing; what should follow is lost] b1 b2 b3 ");

  PcapBytes zeros = FileB();
  zeros.Raw(std::string(100, '\0'));
  AssertText(TellOf({FileA().bytes(), zeros.bytes()}),
             "a1 b1 a2 b2 b3[1: the file is damaged at byte 78, after 3 packets: only zeros where "
             "a record should begin; what follows is lost] ");
}

void AFileWithoutAnyPacketIsToldWithTheNextPacketOfAnother(void**) {
  AssertText(TellOf({FileA().bytes(), ToBytes("<html>"), {}}),
             "a1[1: this is HTML or XML, not a classic pcap file: it begins with \"<htm\"]"
             "[2: the file is empty, without even a pcap header] a2 ");
}

void LossesThatNoPacketCarriesAreToldAtTheEnd(void**) {
  Merge merge(InMemory({{}, ToBytes("{}[]")}));
  assert_false(merge.Next());
  assert_int_equal(merge.losses().size(), 2);
  assert_int_equal(merge.losses()[1].file, 1);
  AssertContains(ClauseOf(merge.losses()[1].error), "this is JSON");
  assert_false(merge.Next());
  assert_int_equal(merge.losses().size(), 0);
}

void TheReportOfAFileHasItsLoss(void**) {
  Bytes cut = FileA().bytes();
  cut.resize(cut.size() - 5);
  Merge merge(InMemory({cut, FileB().bytes()}));
  Drain(merge);
  AssertContains(merge.report(0).loss->what, "cut at byte 55");
  assert_int_equal(merge.report(0).packets, 1);
  assert_false(merge.report(1).loss.has_value());
  assert_int_equal(merge.report(1).packets, 3);
}

/// `file` as what came of a transfer that was lost.
std::unique_ptr<FileBytes> Lost(const Bytes& file) {
  auto lost = std::make_unique<MemoryFile>(ToText(file));
  lost->SetLoss({.what = "The connection was lost"});
  return lost;
}

void ALostTransferIsNamedInsteadOfTheCutItMade(void**) {
  for (const std::size_t keep : {0UL, 10UL, 24UL, 42UL, 50UL}) {
    Bytes cut = FileA().bytes();
    cut.resize(keep);
    FileList files = InMemory({{}, FileB().bytes()});
    files[0] = Lost(cut);
    Merge merge(std::move(files));
    AssertText(Tell(merge), keep < 42 ? "b1[0: The connection was lost] b2 b3 "
                                      : "a1[0: The connection was lost] b1 b2 b3 ");
  }
}

void DamageInWhatArrivedOfALostTransferIsNamedAsWhatItIs(void**) {
  FileList files;
  files.push_back(
      Lost(PcapBytes().Record(1, 0, "a1").Header(2, 0, 0x7fffffff, 1).Raw("rubbish").bytes()));
  Merge merge(std::move(files));
  AssertContains(Tell(merge), "a record that claims 2,147,483,647 bytes");
}

void AReadErrorKeepsWhatWasReadAndTheOtherFiles(void**) {
  PcapBytes file;
  for (std::uint32_t i = 0; i < 100; ++i) file.Record(i + 1, 0, std::string(100, 'a'));
  FileList files = ThroughWindows({{}, FileB().bytes()});
  auto lost = std::make_unique<WindowFile>(file.bytes());
  lost->lost_from = 5'000;
  files[0] = std::move(lost);
  Merge merge(std::move(files), 1);
  std::size_t of_a = 0;
  std::string told;
  while (merge.Next()) {
    of_a += merge.packet().file == 0 ? 1 : 0;
    assert_true(told.empty());  // The last packet of the first file is the last of all.
    for (const FileLoss& loss : merge.losses()) {
      told = ClauseOf(loss.error);
      assert_int_equal(merge.packet().file, 0);
    }
  }
  AssertText(told, "Input/output error");
  // 42 packets are before the lost bytes; a window of 2,048 bytes has 17 of them at most.
  assert_in_range(of_a, 42 - 17, 42);
  assert_int_equal(merge.report(1).packets, 3);
}

void AReadErrorInALargePacketIsToldWithTheNextOfAnother(void**) {
  PcapBytes file;
  file.Record(1, 0, "a1").Record(2, 1, std::string(60'000, 'a'));
  FileList files = ThroughWindows({{}, FileB().bytes()});
  auto lost = std::make_unique<WindowFile>(file.bytes());
  lost->lost_from = 30'000;
  files[0] = std::move(lost);
  Merge merge(std::move(files), 1);
  AssertText(Tell(merge), "a1 b1 b2[0: Input/output error] b3 ");
}

void EveryCutOfAFileKeepsItsWholePacketsAndAllOthers(void**) {
  const Bytes whole = FileB().bytes();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Merge merge(InMemory({FileA().bytes(), cut}));
    const std::vector<Expected> given = Drain(merge);
    const std::size_t of_b = size < kFileHeaderSize ? 0 : (size - kFileHeaderSize) / 18;
    assert_int_equal(merge.report(0).packets, 2);
    assert_int_equal(merge.report(1).packets, of_b);
    assert_int_equal(given.size(), 2 + of_b);
    const bool clean = size >= kFileHeaderSize && (size - kFileHeaderSize) % 18 == 0;
    assert_int_equal(merge.report(1).loss.has_value(), !clean);
  }
}

/// A file's packets as memory gives them, sorted, and what is lost.
std::pair<std::vector<std::string>, std::string> Gist(FileList files, std::size_t memory) {
  Merge merge(std::move(files), memory);
  std::vector<std::string> packets;
  while (merge.Next()) {
    const MergedPacket& packet = merge.packet();
    packets.push_back(std::to_string(packet.view.ticks) + " " +
                      std::to_string(packet.view.original_length) + " " +
                      ToText(packet.view.bytes));
  }
  std::sort(packets.begin(), packets.end());
  const auto& loss = merge.report(0).loss;
  return {packets, loss ? loss->what : ""};
}

/// Records are read where they lie, or through a window of any size: both must agree on any bytes.
void MemoryAndWindowsAgreeOnAnyDamage(void**) {
  std::mt19937 random(20260806);
  for (int i = 0; i < 3000; ++i) {
    const RandomFiles made(random, {.files = 1, .packets = 40, .longest = 300});
    Bytes file = made.files[0];
    for (int flips = 0; flips < 3; ++flips) file[random() % file.size()] ^= std::byte(random());
    const auto whole = Gist(InMemory({file}), Merge::kMemory);
    const auto windows = Gist(ThroughWindows({file}), random() % 8192);
    assert_true(whole == windows);
  }
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WholeFilesHaveNothingToTell),
      cmocka_unit_test(ALossIsToldWithTheLastGoodPacketOfItsFile),
      cmocka_unit_test(AFileWithoutAnyPacketIsToldWithTheNextPacketOfAnother),
      cmocka_unit_test(LossesThatNoPacketCarriesAreToldAtTheEnd),
      cmocka_unit_test(TheReportOfAFileHasItsLoss),
      cmocka_unit_test(ALostTransferIsNamedInsteadOfTheCutItMade),
      cmocka_unit_test(DamageInWhatArrivedOfALostTransferIsNamedAsWhatItIs),
      cmocka_unit_test(AReadErrorKeepsWhatWasReadAndTheOtherFiles),
      cmocka_unit_test(AReadErrorInALargePacketIsToldWithTheNextOfAnother),
      cmocka_unit_test(EveryCutOfAFileKeepsItsWholePacketsAndAllOthers),
      cmocka_unit_test(MemoryAndWindowsAgreeOnAnyDamage),
  };
  return cmocka_run_group_tests_name("merge_damage", tests, nullptr, nullptr);
}
