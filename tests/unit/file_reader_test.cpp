// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/file_reader.h"

#include <algorithm>
#include <random>
#include <tuple>

#include "tests/unit/merge_files.h"
#include "tests/unit/results.h"

namespace cloudflaredump::pcap {
namespace {

struct Reading {
  std::vector<Packet> packets;
  std::optional<PcapHeader> header;
  std::string error;
};

/// All that a reader gives of `file`; what Summarize says of it must agree.
Reading ReadAll(std::unique_ptr<FileBytes> file, std::size_t window,
                FileReader::Order how = FileReader::Order::kNearby) {
  const FileSummary summary = Summarize(*file);
  FileReader reader(std::move(file), window, how);
  Reading reading;
  std::vector<std::byte> shared;
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t last = 0;
  for (; reader.FindNext(); reader.Drop()) {
    const Result<PacketView> view = reader.Load(shared);
    AssertGood(view);
    assert_int_equal(Nanoseconds(view->ticks, reader.header()->precision), reader.nanoseconds());
    first = std::min(first, reader.nanoseconds());
    last = std::max(last, reader.nanoseconds());
    reading.packets.push_back({.ticks = view->ticks,
                               .original_length = view->original_length,
                               .bytes = {view->bytes.begin(), view->bytes.end()}});
  }
  assert_false(reader.FindNext());
  if (reader.damage()) reading.error = ClauseOf(*reader.damage());
  reading.header = reader.header();
  AssertText(summary.damage ? ClauseOf(*summary.damage) : "", reading.error);
  assert_true(summary.header == reading.header);
  assert_int_equal(summary.packets, reading.packets.size());
  assert_int_equal(summary.first_nanoseconds, reading.packets.empty() ? 0 : first);
  assert_int_equal(summary.last_nanoseconds, last);
  return reading;
}

Reading Read(const Bytes& file) {
  return ReadAll(std::make_unique<MemoryFile>(ToText(file)), 65536);
}

/// The packets in an order of their own, as windows of different sizes look ahead differently.
void AssertSameButForOrder(Reading a, Reading b) {
  AssertText(a.error, b.error);
  assert_true(a.header == b.header);
  assert_int_equal(a.packets.size(), b.packets.size());
  const auto order = [](const Packet& packet) {
    return std::tie(packet.ticks, packet.original_length, packet.bytes);
  };
  std::ranges::sort(a.packets, {}, order);
  std::ranges::sort(b.packets, {}, order);
  for (std::size_t i = 0; i < a.packets.size(); ++i) {
    assert_true(order(a.packets[i]) == order(b.packets[i]));
  }
}

/// The data of each packet in the order given, with blanks between.
std::string Order(const Reading& reading) {
  std::string order;
  for (const Packet& packet : reading.packets) {
    order += (order.empty() ? "" : " ") + ToText(packet.bytes);
  }
  return order;
}

PcapBytes ThreePackets() {
  PcapBytes file;
  file.Record(1000, 1, "first").Record(1000, 2, "", 60).Record(1001, 0, "the third", 1500);
  return file;
}

void EveryMagicGivesTheSamePackets(void**) {
  for (const bool big_endian : {false, true}) {
    for (const bool nanoseconds : {false, true}) {
      PcapBytes file({.magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4,
                      .big_endian = big_endian,
                      .link_type = 276,
                      .snap_length = 96});
      file.Record(0xfedcba98, 123456, "abc", 0x01020304);
      const Reading reading = Read(file.bytes());
      AssertText(reading.error, "");
      assert_int_equal(reading.header->link_type, 276);
      assert_int_equal(reading.header->snap_length, 96);
      assert_int_equal(reading.header->big_endian, big_endian);
      assert_true(reading.header->precision ==
                  (nanoseconds ? TimePrecision::kNanoseconds : TimePrecision::kMicroseconds));
      assert_int_equal(reading.packets.size(), 1);
      assert_int_equal(reading.packets[0].ticks,
                       0xfedcba98 * (nanoseconds ? 1'000'000'000ULL : 1'000'000ULL) + 123456);
      assert_int_equal(reading.packets[0].original_length, 0x01020304);
      AssertText(ToText(reading.packets[0].bytes), "abc");
    }
  }
}

void AFractionBeyondOneSecondIsCarriedOver(void**) {
  PcapBytes file({.magic = 0xa1b23c4d});
  file.Record(100, 4'294'967'295, "x");
  assert_int_equal(Read(file.bytes()).packets.at(0).ticks, 104'294'967'295ULL);
}

void TheLatestTimeFits(void**) {
  PcapBytes file;
  file.Record(0xffffffff, 999'999, "x");
  const std::uint64_t ticks = Read(file.bytes()).packets.at(0).ticks;
  assert_int_equal(ticks, 4'294'967'295'999'999ULL);
  assert_int_equal(Nanoseconds(ticks, TimePrecision::kMicroseconds), 4'294'967'295'999'999'000ULL);
}

void PacketsWithoutBytesAreKept(void**) {
  const Reading reading = Read(ThreePackets().bytes());
  AssertText(reading.error, "");
  assert_int_equal(reading.packets.size(), 3);
  assert_true(reading.packets[1].bytes.empty());
  assert_int_equal(reading.packets[1].original_length, 60);
}

void ARecordLongerThanTheSnapLengthIsKept(void**) {
  PcapBytes file({.snap_length = 4});
  file.Record(1, 0, "longer than four");
  assert_int_equal(Read(file.bytes()).packets.at(0).bytes.size(), 16);
}

void TheLargestRecordIsKeptAndOneMoreIsDamage(void**) {
  PcapBytes file({.snap_length = 0xffffffff});
  file.Record(1, 0, std::string(262144, 'x'));
  AssertText(Read(file.bytes()).error, "");
  file.Record(2, 0, std::string(262145, 'y'));
  const Reading reading = Read(file.bytes());
  assert_int_equal(reading.packets.size(), 1);
  AssertContains(reading.error, "a record that claims 262,145 bytes");
}

void AnOriginalLengthBelowTheCapturedIsRaised(void**) {
  PcapBytes file;
  file.Record(1, 0, "eleven byte", 3);
  assert_int_equal(Read(file.bytes()).packets.at(0).original_length, 11);
}

void Version23MayHaveItsLengthsSwapped(void**) {
  PcapBytes file({.minor = 3});
  file.Header(1, 0, 60, 5).Raw("abcde").Header(2, 0, 2, 70).Raw("fg");
  const Reading reading = Read(file.bytes());
  AssertText(reading.error, "");
  AssertText(ToText(reading.packets.at(0).bytes), "abcde");
  assert_int_equal(reading.packets[0].original_length, 60);
  AssertText(ToText(reading.packets.at(1).bytes), "fg");
}

void TheFcsBitsAreNotTheLinkType(void**) {
  assert_int_equal(Read(PcapBytes({.link_type = 0x54000001}).bytes()).header->link_type, 1);
  AssertContains(Read(PcapBytes({.link_type = 0x00010001}).bytes()).error,
                 "the link type 65537, which does not exist");
}

void OtherVersionsAreRefused(void**) {
  AssertContains(Read(PcapBytes({.major = 3}).bytes()).error, "version 3.4");
  AssertContains(Read(PcapBytes({.big_endian = true, .minor = 2}).bytes()).error, "version 2.2");
}

void WhatIsNotPcapIsNamed(void**) {
  using std::string_literals::operator""s;
  const struct {
    std::string begin;
    const char* name;
  } kinds[] = {
      {"\x0a\x0d\x0d\x0a\x1c", "this is pcapng, not a classic pcap file"},
      {"\x34\xcd\xb2\xa1", "\"modified\" pcap"},
      {"\xa1\xb2\xcd\x34", "\"modified\" pcap"},
      {"\x1f\x8b\x08\x00"s, "this is gzip"},
      {"\x28\xb5\x2f\xfd", "Zstandard"},
      {"PK\x03\x04", "ZIP"},
      {"<!DOCTYPE html>", "this is HTML or XML, not a classic pcap file: it begins with \"<!DO\""},
      {"{\"success\":false}", "this is JSON"},
      {"[1,2]", "this is JSON"},
      {"nope", "this is not a pcap file: it begins with \"nope\""},
      {"\x01\x02\x03\x04", "this is not a pcap file: it begins with 01020304"},
      {"\0\0\0\0"s, "begins with 00000000"},
      {"\n\n\n\n", "begins with 0a0a0a0a"},
  };
  for (const auto& kind : kinds) {
    const Reading reading = Read(ToBytes(kind.begin));
    AssertContains(reading.error, kind.name);
    assert_false(reading.header.has_value());
  }
}

void WhatIsNotPcapIsRefusedByItsFourthByte(void**) {
  AssertText(
      Read(ToBytes("<ht")).error,
      "the file is cut after 3 bytes, inside the 24-byte pcap header: no packet can be read");
  AssertContains(Read(ToBytes("<htm")).error, "this is HTML");
}

void DamageComesAfterTheGoodPacketsAndStays(void**) {
  PcapBytes file = ThreePackets();
  file.Header(5, 0, 0xffffffff, 60).Record(6, 0, "unreachable");
  const Reading reading = Read(file.bytes());
  assert_int_equal(reading.packets.size(), 3);
  AssertText(reading.error,
             "the file is damaged at byte 86, after 3 packets: a record that claims 4,294,967,295 "
             "bytes; what follows is lost");

  FileReader reader(std::make_unique<MemoryFile>(ToText(file.bytes())), 0);
  for (int i = 0; i < 3; ++i, reader.Drop()) assert_true(reader.FindNext());
  for (int i = 0; i < 3; ++i) {
    assert_false(reader.FindNext());
    AssertText(ClauseOf(*reader.damage()), reading.error);
  }
}

void ATailOfZerosIsDamage(void**) {
  PcapBytes file = ThreePackets();
  file.Raw(std::string(4096, '\0'));
  const Reading reading = Read(file.bytes());
  assert_int_equal(reading.packets.size(), 3);
  AssertContains(reading.error, "only zeros where a record should begin");
}

void EveryCutKeepsTheWholeRecordsAndSaysWhatIsMissing(void**) {
  const Bytes file = ThreePackets().bytes();
  // Where the header and each record end: 24, then 16 + 5, 16 + 0, 16 + 9 bytes.
  const std::vector<std::size_t> ends = {24, 45, 61, 86};
  for (std::size_t size = 0; size <= file.size(); ++size) {
    const Reading reading = Read(Bytes(file.begin(), file.begin() + static_cast<long>(size)));
    std::size_t whole = 0;
    while (whole < ends.size() && ends[whole] <= size) ++whole;
    assert_int_equal(reading.packets.size(), whole == 0 ? 0 : whole - 1);
    const bool at_an_end = whole > 0 && ends[whole - 1] == size;
    assert_int_equal(reading.error.empty(), at_an_end);
    if (whole > 0 && !at_an_end) {
      AssertContains(reading.error, "cut at byte " + std::to_string(size));
    }
  }
  AssertContains(Read({}).error, "the file is empty");
  AssertText(Read(Bytes(file.begin(), file.begin() + 60)).error,
             "the file is cut at byte 60, after 1 packet: 1 of 16 bytes of the last record are "
             "missing; what should follow is lost");
}

/// A file of records of all sizes, some of them with damage in it.
Bytes RandomFile(std::mt19937& random) {
  PcapBytes file(
      {.magic = random() % 2 ? 0xa1b23c4d : 0xa1b2c3d4, .big_endian = random() % 2 == 0});
  for (unsigned i = random() % 30; i > 0; --i) {
    file.Record(random(), random(), std::string(random() % 200, static_cast<char>(random())),
                random() % 2000 + 1);
  }
  Bytes bytes = file.bytes();
  if (random() % 2) bytes.resize(random() % (bytes.size() + 1));
  if (random() % 2 && !bytes.empty()) bytes[random() % bytes.size()] ^= std::byte(random());
  return bytes;
}

void AnyWindowReadsTheSame(void**) {
  std::mt19937 random(20260801);
  for (int i = 0; i < 2000; ++i) {
    const Bytes file = RandomFile(random);
    const Reading whole = Read(file);
    AssertSameButForOrder(ReadAll(std::make_unique<WindowFile>(file), 0), whole);
    AssertSameButForOrder(ReadAll(std::make_unique<WindowFile>(file), random() % 8192), whole);
    AssertSameButForOrder(ReadAll(std::make_unique<MemoryFile>(ToText(file)), random() % 8192),
                          whole);
  }
}

void TheLastPacketIsKnownForTheLast(void**) {
  for (const std::size_t cut : {0UL, 1UL, 9UL, 25UL}) {
    Bytes bytes = ThreePackets().bytes();
    bytes.resize(bytes.size() - cut);
    FileReader reader(std::make_unique<WindowFile>(bytes), 0);
    const std::size_t packets = cut == 0 ? 3 : 2;
    for (std::size_t i = 1; i <= packets; ++i, reader.Drop()) {
      assert_true(reader.FindNext());
      assert_int_equal(reader.last(), i == packets);
      if (reader.last()) assert_int_equal(reader.damage().has_value(), cut == 1 || cut == 9);
    }
    assert_false(reader.FindNext());
  }
}

void DisorderIsPutRightAsFarAsItIsLookedAhead(void**) {
  PcapBytes file;
  file.Record(1, 0, "1").Record(4, 0, "4").Record(3, 0, "3").Record(2, 0, "2").Record(3, 0, "3b");
  AssertText(Order(Read(file.bytes())), "1 2 3 3b 4");
  AssertText(Order(ReadAll(std::make_unique<WindowFile>(file.bytes()), 0)), "1 2 3 3b 4");
  const struct {
    std::size_t between, place;
  } cases[] = {{FileReader::kReorder - 1, 0}, {FileReader::kReorder, 1}, {100, 101 - 64}};
  for (const auto& [between, place] : cases) {
    PcapBytes far;
    for (std::uint32_t i = 0; i <= between; ++i) far.Record(1000 + i, 0, "x");
    far.Record(1, 0, "behind");
    for (std::uint32_t i = 0; i < 100; ++i) far.Record(2000 + i, 0, "y");
    const Reading reading = Read(far.bytes());
    assert_int_equal(reading.packets.size(), between + 102);
    AssertText(ToText(reading.packets[place].bytes), "behind");
  }
}

void AFileMayBePutInOrderWhole(void**) {
  std::mt19937 random(20260810);
  for (int i = 0; i < 300; ++i) {
    const Bytes file = RandomFile(random);
    Reading want = Read(file);
    const auto whole = FileReader::Order::kWhole;
    for (const Reading& got : {ReadAll(std::make_unique<MemoryFile>(ToText(file)), 0, whole),
                               ReadAll(std::make_unique<WindowFile>(file), 0, whole)}) {
      AssertSameButForOrder(got, want);
      assert_true(std::ranges::is_sorted(got.packets, {}, &Packet::ticks));
    }
  }
  PcapBytes file;
  for (int i = 0; i < 300; ++i) file.Record(7, 0, std::to_string(i));
  file.Record(6, 0, "behind");
  const Reading reading =
      ReadAll(std::make_unique<WindowFile>(file.bytes()), 0, FileReader::Order::kWhole);
  AssertText(ToText(reading.packets[0].bytes), "behind");
  for (int i = 0; i < 300; ++i) {
    AssertText(ToText(reading.packets[static_cast<std::size_t>(i) + 1].bytes), std::to_string(i));
  }
}

void AWholeFileHasAMostOfPackets(void**) {
  PcapBytes bytes;
  for (std::uint64_t i = 0; i <= FileReader::kMostPacketsOfWhole; ++i) bytes.Record(1, 0, "");
  FileReader reader(std::make_unique<MemoryFile>(ToText(bytes.bytes())), 0,
                    FileReader::Order::kWhole);
  std::uint64_t packets = 0;
  for (; reader.FindNext(); reader.Drop()) ++packets;
  assert_int_equal(packets, FileReader::kMostPacketsOfWhole);
  AssertContains(reader.damage()->what, "more than 1,000,000 packets");
}

void ACountOfPacketsCanBeStopped(void**) {
  PcapBytes bytes;
  for (int i = 0; i < 100000; ++i) bytes.Record(1, 0, "");
  MemoryFile file(ToText(bytes.bytes()));
  int looks = 0;
  assert_true(Summarize(file, [&] { return ++looks == 3; }).packets < 100000);
  assert_int_equal(looks, 3);
}

void AWindowLooksAQuarterOfItselfAhead(void**) {
  // Records of 116 bytes: five of them are more than a quarter of 2,048 bytes.
  PcapBytes file;
  for (const std::uint32_t second : {10U, 11U, 12U, 13U, 14U, 1U, 15U, 16U, 17U, 18U}) {
    file.Record(second, 0, std::string(100, 'x'));
  }
  const auto place = [&](std::size_t window) {
    const Reading reading = ReadAll(std::make_unique<WindowFile>(file.bytes()), window);
    std::size_t at = 0;
    while (reading.packets[at].ticks != 1'000'000) ++at;
    return at;
  };
  assert_int_equal(place(FileReader::kLeastWindow), 1);
  assert_int_equal(place(0), 1);
  assert_int_equal(place(2 * FileReader::kLeastWindow), 0);
}

void APacketStaysUntilTheNextIsLookedFor(void**) {
  PcapBytes file;
  for (std::uint32_t i = 0; i < 50; ++i) {
    file.Record(i, 0, std::string(i % 7 == 0 ? 3000 : 90, static_cast<char>('0' + i)));
  }
  FileReader reader(std::make_unique<WindowFile>(file.bytes()), 0);
  std::vector<std::byte> shared;
  for (std::uint32_t i = 0; i < 50; ++i) {
    assert_true(reader.FindNext());
    const PacketView view = ValueOf(reader.Load(shared));
    reader.Drop();
    AssertText(ToText(view.bytes), std::string(i % 7 == 0 ? 3000 : 90, static_cast<char>('0' + i)));
  }
}

void AFileThatIsChangedMeanwhileEndsWithWhatItHad(void**) {
  PcapBytes bytes;
  bytes.Record(1, 0, "small").Record(2, 0, std::string(5000, 'L')).Record(3, 0, "behind");
  auto file = std::make_unique<WindowFile>(bytes.bytes());
  WindowFile& changed = *file;
  FileReader reader(std::move(file), 0);
  std::vector<std::byte> shared;
  assert_true(reader.FindNext());
  AssertText(ToText(ValueOf(reader.Load(shared)).bytes), "small");
  reader.Drop();
  assert_true(reader.FindNext());
  changed.lost_from = 0;
  AssertText(ClauseOf(ErrorOf(reader.Load(shared))), "Input/output error");
  assert_false(reader.FindNext());
  AssertText(ClauseOf(*reader.damage()), "Input/output error");
}

void ALossThatTheBytesDoNotShowIsTheDamage(void**) {
  for (const std::size_t keep : {0UL, 10UL, 24UL, 50UL, 86UL}) {
    Bytes bytes = ThreePackets().bytes();
    bytes.resize(keep);
    auto file = std::make_unique<MemoryFile>(ToText(bytes));
    file->SetLoss({.what = "the connection was lost"});
    AssertText(ReadAll(std::move(file), 0).error, "the connection was lost");
  }
}

void ASummaryLeavesTheFileAsItIs(void**) {
  PcapBytes bytes({.magic = 0xa1b23c4d});
  bytes.Record(5, 7, "b").Record(3, 9, "a").Record(4, 0, "c").Header(9, 9, 99, 99);
  WindowFile file(bytes.bytes());
  for (int i = 0; i < 2; ++i) {
    const FileSummary summary = Summarize(file);
    assert_int_equal(summary.packets, 3);
    assert_int_equal(summary.first_nanoseconds, 3'000'000'009);
    assert_int_equal(summary.last_nanoseconds, 5'000'000'007);
    assert_true(summary.header->precision == TimePrecision::kNanoseconds);
    AssertContains(summary.damage->what, "after 3 packets");
  }
  AssertText(Order(ReadAll(Borrow(file), 0)), "a c b");
  MemoryFile nothing{std::string()};
  assert_false(Summarize(nothing).header.has_value());
  assert_int_equal(Summarize(nothing).first_nanoseconds, 0);
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryMagicGivesTheSamePackets),
      cmocka_unit_test(AFractionBeyondOneSecondIsCarriedOver),
      cmocka_unit_test(TheLatestTimeFits),
      cmocka_unit_test(PacketsWithoutBytesAreKept),
      cmocka_unit_test(ARecordLongerThanTheSnapLengthIsKept),
      cmocka_unit_test(TheLargestRecordIsKeptAndOneMoreIsDamage),
      cmocka_unit_test(AnOriginalLengthBelowTheCapturedIsRaised),
      cmocka_unit_test(Version23MayHaveItsLengthsSwapped),
      cmocka_unit_test(TheFcsBitsAreNotTheLinkType),
      cmocka_unit_test(OtherVersionsAreRefused),
      cmocka_unit_test(WhatIsNotPcapIsNamed),
      cmocka_unit_test(WhatIsNotPcapIsRefusedByItsFourthByte),
      cmocka_unit_test(DamageComesAfterTheGoodPacketsAndStays),
      cmocka_unit_test(ATailOfZerosIsDamage),
      cmocka_unit_test(EveryCutKeepsTheWholeRecordsAndSaysWhatIsMissing),
      cmocka_unit_test(AnyWindowReadsTheSame),
      cmocka_unit_test(TheLastPacketIsKnownForTheLast),
      cmocka_unit_test(DisorderIsPutRightAsFarAsItIsLookedAhead),
      cmocka_unit_test(AFileMayBePutInOrderWhole),
      cmocka_unit_test(AWholeFileHasAMostOfPackets),
      cmocka_unit_test(ACountOfPacketsCanBeStopped),
      cmocka_unit_test(AWindowLooksAQuarterOfItselfAhead),
      cmocka_unit_test(APacketStaysUntilTheNextIsLookedFor),
      cmocka_unit_test(AFileThatIsChangedMeanwhileEndsWithWhatItHad),
      cmocka_unit_test(ALossThatTheBytesDoNotShowIsTheDamage),
      cmocka_unit_test(ASummaryLeavesTheFileAsItIs),
  };
  return cmocka_run_group_tests_name("file_reader", tests, nullptr, nullptr);
}
