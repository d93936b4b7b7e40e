// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/pcapng_stream.h"

#include "tests/unit/memory_sink.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/read_stream.h"
#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;

struct StreamFixture {
  MemorySink sink;
  PcapngStream stream{sink};

  std::uint32_t AddInterface(const char* name) {
    return stream.AddInterface({.link_type = 101, .name = name});
  }

  bool AddPacket(std::uint32_t interface_id, std::uint64_t ticks, const std::string& data,
                 const PacketMark& mark = {}) {
    const Bytes bytes = ToBytes(data);
    return ValueOf(stream.AddPacket(interface_id,
                                    {.ticks = ticks,
                                     .original_length = static_cast<std::uint32_t>(data.size()),
                                     .bytes = bytes},
                                    mark));
  }

  void End() {
    stream.LetLastGo();
    AssertGood(stream.Flush());
  }

  ReadStream Read() const { return ReadBack(sink.bytes); }

  /// The kinds of the written blocks: "S" section, "I" interface, "T" statistics, packets as their
  /// data.
  std::string Written() const {
    std::string text;
    std::size_t packet = 0;
    const ReadStream read = Read();
    for (const PcapngBlock& block : ReadBlocks(sink.bytes)) {
      if (!text.empty()) text += ' ';
      if (block.type == kSection) text += 'S';
      if (block.type == 1) text += 'I';
      if (block.type == 5) text += 'T';
      if (block.type == 6) text += read.packets[packet++].data;
    }
    return text;
  }
};

void ACaptureThatHasNotBegunWritesNothing(void**) {
  StreamFixture f;
  assert_false(f.stream.begun());
  f.End();
  AssertText(f.sink.bytes, "");
  assert_int_equal(f.sink.writes, 0);
}

void TheSectionComesWithTheFirstInterface(void**) {
  StreamFixture f;
  assert_int_equal(f.AddInterface("a"), 0);
  assert_true(f.stream.begun());
  assert_int_equal(f.AddInterface("b"), 1);
  AssertGood(f.stream.Flush());
  AssertText(f.Written(), "S I I");
}

void PacketsComeInOrderWithTheirInterfaces(void**) {
  StreamFixture f;
  f.AddInterface("a");
  f.AddInterface("b");
  f.AddPacket(0, 1, "one");
  f.AddPacket(1, (std::uint64_t{7} << 32) | 2, "two!");
  f.End();
  AssertText(f.Written(), "S I I one two!");
  const ReadPacket last = f.Read().packets.back();
  assert_int_equal(last.interface_id, 1);
  assert_int_equal(last.ticks, (std::uint64_t{7} << 32) | 2);
}

void TheLastPacketIsHeldBack(void**) {
  StreamFixture f;
  f.AddInterface("a");
  f.AddPacket(0, 1, "one");
  AssertGood(f.stream.Flush());
  AssertText(f.Written(), "S I");
  f.AddPacket(0, 2, "two");
  AssertGood(f.stream.Flush());
  AssertText(f.Written(), "S I one");
  AssertGood(f.stream.Flush());
  AssertText(f.Written(), "S I one");
  f.End();
  AssertText(f.Written(), "S I one two");
}

void MoreCanBeSaidOnTheLastPacket(void**) {
  StreamFixture f;
  f.AddInterface("a");
  f.AddPacket(0, 1, "one", {.undecided = true});
  assert_true(f.stream.MarkLast({.damaged = "part 2"}));
  assert_true(f.stream.MarkLast({.damaged = "part 3", .limit_reached = true}));
  f.AddPacket(0, 2, "two");
  f.End();
  AssertText(f.Written(), "S I one two");
  assert_true(f.Read().packets[0].mark ==
              (PacketMark{.undecided = true, .damaged = "part 2; part 3", .limit_reached = true}));
  assert_true(f.Read().packets[1].mark == PacketMark());
}

void ALateMarkKeepsThePacketAsItWas(void**) {
  StreamFixture f;
  f.AddInterface("a");
  const std::string data = std::string("\0\1\2", 3) + "odd length";
  const Bytes bytes = ToBytes(data);
  AssertGood(f.stream.AddPacket(0, {.ticks = 99, .original_length = 1500, .bytes = bytes}, {}));
  AssertGood(f.stream.Flush());
  assert_true(f.stream.MarkLast({.limit_reached = true}));
  f.End();
  const ReadPacket packet = f.Read().packets.back();
  assert_int_equal(packet.ticks, 99);
  assert_int_equal(packet.original_length, 1500);
  assert_true(packet.data == data);
  assert_true(packet.mark.limit_reached);
}

void AnInterfaceMayComeWhileAPacketIsHeld(void**) {
  StreamFixture f;
  f.AddInterface("a");
  f.AddPacket(0, 1, "one");
  AssertGood(f.stream.Flush());
  assert_int_equal(f.AddInterface("b"), 1);
  assert_true(f.stream.MarkLast({.undecided = true}));
  f.AddPacket(1, 2, "two");
  f.End();
  AssertText(f.Written(), "S I I one two");
  assert_true(f.Read().packets[0].mark.undecided);
}

void WithoutALastPacketNothingIsMarked(void**) {
  StreamFixture f;
  assert_false(f.stream.MarkLast({.undecided = true}));
  f.AddInterface("a");
  assert_false(f.stream.MarkLast({.undecided = true}));
  f.AddPacket(0, 1, "one");
  f.stream.LetLastGo();
  assert_false(f.stream.MarkLast({.undecided = true}));
  f.AddPacket(0, 1, "two");
  f.stream.AddStatistics(0, pcap::TimePrecision::kMicroseconds, {.received = 2});
  assert_false(f.stream.MarkLast({.undecided = true}));
  f.End();
  AssertText(f.Written(), "S I one two T");
}

void ATooLargePacketIsLeftOut(void**) {
  StreamFixture f;
  f.AddInterface("a");
  f.AddPacket(0, 1, "one");
  assert_false(f.AddPacket(0, 2, std::string(pcap::kLargestPacket + 1, 'x')));
  assert_true(f.AddPacket(0, 3, "three"));
  f.End();
  AssertText(f.Written(), "S I one three");
}

void MuchIsWrittenWithoutAFlush(void**) {
  StreamFixture f;
  f.AddInterface("a");
  for (std::uint64_t i = 0; i < 300; ++i) f.AddPacket(0, i, std::string(5000, 'x'));
  assert_true(f.sink.bytes.size() > 1'000'000);
  assert_true(f.sink.writes < 10);
  f.End();
  assert_int_equal(ReadBlocks(f.sink.bytes).size(), 302);
}

void TheSinksErrorComesBack(void**) {
  StreamFixture f;
  f.sink.room = 100;
  f.AddInterface("a");
  f.AddPacket(0, 1, "one");
  f.stream.LetLastGo();
  AssertFails(f.stream.Flush(), Error::Kind::kFinal, "No space left on device");
  const Bytes large(200000, std::byte{1});
  Result<bool> added = true;
  for (std::uint64_t i = 0; added && i < 5; ++i) {
    added = f.stream.AddPacket(0, {.ticks = i, .original_length = 200000, .bytes = large}, {});
  }
  AssertFails(added, Error::Kind::kFinal, "No space left on device");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ACaptureThatHasNotBegunWritesNothing),
      cmocka_unit_test(TheSectionComesWithTheFirstInterface),
      cmocka_unit_test(PacketsComeInOrderWithTheirInterfaces),
      cmocka_unit_test(TheLastPacketIsHeldBack),
      cmocka_unit_test(MoreCanBeSaidOnTheLastPacket),
      cmocka_unit_test(ALateMarkKeepsThePacketAsItWas),
      cmocka_unit_test(AnInterfaceMayComeWhileAPacketIsHeld),
      cmocka_unit_test(WithoutALastPacketNothingIsMarked),
      cmocka_unit_test(ATooLargePacketIsLeftOut),
      cmocka_unit_test(MuchIsWrittenWithoutAFlush),
      cmocka_unit_test(TheSinksErrorComesBack),
  };
  return cmocka_run_group_tests_name("pcapng_stream", tests, nullptr, nullptr);
}
