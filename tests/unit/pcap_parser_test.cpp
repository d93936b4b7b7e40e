// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcap_parser.h"

#include <random>

#include "tests/unit/pcap_bytes.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::pcap {
namespace {

struct Reading {
  std::vector<Packet> packets;
  std::optional<PcapHeader> header;
  std::string error;
  std::uint64_t good_bytes = 0;
};

/// Reads `file` in chunks of the sizes that `next_size` names.
template <class NextSize>
Reading ReadChunked(std::span<const std::byte> file, NextSize next_size) {
  PcapParser parser;
  Reading reading;
  const auto take = [&](Packet&& packet) { reading.packets.push_back(std::move(packet)); };
  Result<void> result;
  while (result && !file.empty()) {
    const auto chunk = file.first(std::min<std::size_t>(next_size(), file.size()));
    result = parser.Push(chunk, take);
    file = file.subspan(chunk.size());
  }
  if (result) result = parser.Finish();
  if (!result) reading.error = ClauseOf(result.error());
  reading.header = parser.header();
  reading.good_bytes = parser.good_bytes();
  assert_int_equal(parser.packets(), reading.packets.size());
  return reading;
}

Reading Read(const Bytes& file) {
  return ReadChunked(file, [&] { return file.size(); });
}

void AssertSame(const Reading& a, const Reading& b) {
  AssertText(a.error, b.error);
  assert_true(a.header == b.header);
  assert_int_equal(a.good_bytes, b.good_bytes);
  assert_int_equal(a.packets.size(), b.packets.size());
  for (std::size_t i = 0; i < a.packets.size(); ++i) {
    assert_int_equal(a.packets[i].ticks, b.packets[i].ticks);
    assert_int_equal(a.packets[i].original_length, b.packets[i].original_length);
    assert_true(a.packets[i].bytes == b.packets[i].bytes);
  }
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
  PcapParser parser;
  const auto take = [](Packet&&) { fail(); };
  assert_true(parser.Push(ToBytes("<ht"), take).has_value());
  assert_false(parser.Push(ToBytes("m"), take).has_value());
}

void DamageComesAfterTheGoodPacketsAndStays(void**) {
  PcapBytes file = ThreePackets();
  const std::size_t offset = file.bytes().size();
  file.Header(5, 0, 0xffffffff, 60).Record(6, 0, "unreachable");
  const Reading reading = Read(file.bytes());
  assert_int_equal(reading.packets.size(), 3);
  assert_int_equal(reading.good_bytes, offset);
  AssertText(reading.error,
             "the file is damaged at byte 86, after 3 packets: a record that claims 4,294,967,295 "
             "bytes; what follows is lost");

  PcapParser parser;
  int taken = 0;
  const auto count = [&](Packet&&) { ++taken; };
  assert_false(parser.Push(file.bytes(), count).has_value());
  const Result<void> again = parser.Push(ThreePackets().bytes(), count);
  AssertText(ClauseOf(again.error()), reading.error);
  AssertText(ClauseOf(parser.Finish().error()), reading.error);
  assert_int_equal(taken, 3);
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
    assert_int_equal(reading.good_bytes, whole == 0 ? 0 : ends[whole - 1]);
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

void AnyChunkingReadsTheSame(void**) {
  std::mt19937 random(20260801);
  for (int i = 0; i < 2000; ++i) {
    const Bytes file = RandomFile(random);
    const Reading whole = Read(file);
    AssertSame(ReadChunked(file, [] { return 1U; }), whole);
    AssertSame(ReadChunked(file, [&] { return random() % 64; }), whole);
  }
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
      cmocka_unit_test(AnyChunkingReadsTheSame),
  };
  return cmocka_run_group_tests_name("pcap_parser", tests, nullptr, nullptr);
}
