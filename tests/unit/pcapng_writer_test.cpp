// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcapng_writer.h"

#include "tests/unit/pcap_bytes.h"
#include "tests/unit/pcapng_blocks.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::pcap {
namespace {

PcapngBlock OnlyBlock(const std::string& out) {
  const auto blocks = ReadBlocks(out);
  assert_int_equal(blocks.size(), 1);
  return blocks[0];
}

Packet MakePacket(std::uint64_t ticks, std::size_t size, std::uint32_t original) {
  return {.ticks = ticks, .original_length = original, .bytes = Bytes(size, std::byte{0xa5})};
}

void TheSectionHeaderIsOfThisMachineAndUnknownLength(void**) {
  std::string out;
  AppendSectionHeader(out, "cloudflaredump 0.2.0");
  const PcapngBlock block = OnlyBlock(out);
  assert_int_equal(block.type, 0x0a0d0d0a);
  assert_int_equal(block.Word(0), 0x1a2b3c4d);
  assert_int_equal(block.Word(4), 1);  // Version 1.0.
  assert_int_equal(block.Word(8), 0xffffffff);
  assert_int_equal(block.Word(12), 0xffffffff);
  AssertText(block.OnlyOption(16, 4), "cloudflaredump 0.2.0");
}

void TheSectionHeaderStaysBelowTheHeapOfDumpcap(void**) {
  std::string out;
  AppendSectionHeader(out, std::string(100'000, 'x'));
  assert_true(out.size() <= 2048);
  OnlyBlock(out);
}

void TheInterfaceBlockSaysWhatItIsGiven(void**) {
  std::string out;
  AppendInterface(out, {.link_type = 276,
                        .precision = TimePrecision::kNanoseconds,
                        .name = "cloudflare-ORD",
                        .description = "Full capture at ORD (Chicago) — part 3",
                        .filter = "udp port 53"});
  const PcapngBlock block = OnlyBlock(out);
  assert_int_equal(block.type, 1);
  assert_int_equal(block.Word(0), 276);
  assert_int_equal(block.Word(4), 262143);
  AssertText(block.OnlyOption(8, 2), "cloudflare-ORD");
  AssertText(block.OnlyOption(8, 3), "Full capture at ORD (Chicago) — part 3");
  AssertText(block.OnlyOption(8, 9), "\x09");
  assert_true(block.OnlyOption(8, 11) == std::string("\0udp port 53", 12));
}

void EmptyTextsAreNoOptions(void**) {
  std::string out;
  AppendInterface(out, {.link_type = 1});
  const auto options = OnlyBlock(out).Options(8);
  assert_int_equal(options.size(), 1);
  assert_int_equal(options[0].code, 9);
  AssertText(options[0].value, "\x06");
}

void TextsAreCutBetweenCharactersAndMadeValid(void**) {
  std::string out;
  std::string description;
  while (description.size() < 70'000) description += "€";
  AppendInterface(out, {.name = "bad \xff name", .description = description});
  const PcapngBlock block = OnlyBlock(out);
  AssertText(block.OnlyOption(8, 2), "bad \xef\xbf\xbd name");
  const std::string cut = block.OnlyOption(8, 3);
  assert_true(cut.size() <= 32768 && cut.size() > 32764);
  assert_int_equal(cut.size() % 3, 0);
}

void APacketIsWrittenAsItIs(void**) {
  for (std::size_t size = 0; size < 9; ++size) {
    std::string out;
    const Packet packet = MakePacket(0x0123456789abcdef, size, 1514);
    assert_true(AppendPacket(out, 7, packet));
    assert_int_equal(out.size(), 32 + (size + 3) / 4 * 4);
    const PcapngBlock block = OnlyBlock(out);
    assert_int_equal(block.type, 6);
    assert_int_equal(block.Word(0), 7);
    assert_int_equal(block.Word(4), 0x01234567);
    assert_int_equal(block.Word(8), 0x89abcdef);
    assert_int_equal(block.Word(12), size);
    assert_int_equal(block.Word(16), 1514);
    AssertText(block.body.substr(20, size), std::string(size, '\xa5'));
    assert_true(block.body.find_first_not_of('\0', 20 + size) == std::string::npos);
  }
}

void APacketCarriesItsComments(void**) {
  std::string out;
  assert_true(AppendPacket(out, 0, MakePacket(1, 5, 5), {"one", "", "third comment"}));
  const auto options = OnlyBlock(out).Options(28);
  assert_int_equal(options.size(), 3);
  for (const auto& option : options) assert_int_equal(option.code, 1);
  AssertText(options[0].value, "one");
  AssertText(options[1].value, "");
  AssertText(options[2].value, "third comment");
}

void TheLargestPacketFillsTheLargestBlock(void**) {
  std::string out;
  assert_true(AppendPacket(out, 0, MakePacket(1, kLargestPacket, 300'000)));
  assert_int_equal(out.size(), 262144);
  const std::string before = out;
  assert_false(AppendPacket(out, 0, MakePacket(1, kLargestPacket + 1, 300'000)));
  assert_true(out == before);
}

void CommentsNeverMakeABlockTooLarge(void**) {
  const std::string longest(40'000, 'c');
  std::string out;
  assert_true(AppendPacket(out, 0, MakePacket(1, kLargestPacket, 1), {longest}));
  assert_int_equal(OnlyBlock(out).Options(20 + kLargestPacket).size(), 0);
  out.clear();
  // 32,768 bytes and an option header fit the room that is left once, and 100 bytes again.
  assert_true(AppendPacket(out, 0, MakePacket(1, kLargestPacket - 33'000, 1),
                           {longest, std::string(100, 'd'), longest}));
  assert_true(out.size() <= kLargestBlock);
  const auto options = OnlyBlock(out).Options(20 + kLargestPacket - 33'000);
  assert_int_equal(options.size(), 2);
  assert_int_equal(options[0].value.size(), 32768);
}

void StatisticsAreInTheResolutionOfTheInterface(void**) {
  for (const auto precision : {TimePrecision::kMicroseconds, TimePrecision::kNanoseconds}) {
    const std::uint64_t tick = precision == TimePrecision::kMicroseconds ? 1000 : 1;
    std::string out;
    AppendStatistics(out, 3, precision,
                     {.received = 5'000'000'000,
                      .delivered = 4'999'999'000,
                      .first_nanoseconds = 1'790'000'000'123'456'789,
                      .last_nanoseconds = 1'790'000'001'000'000'000,
                      .comment = "Done."});
    const PcapngBlock block = OnlyBlock(out);
    assert_int_equal(block.type, 5);
    assert_int_equal(block.Word(0), 3);
    AssertText(block.OnlyOption(12, 1), "Done.");
    assert_int_equal(SplitTimeOf(block.OnlyOption(12, 2)), 1'790'000'000'123'456'789 / tick);
    assert_int_equal(SplitTimeOf(block.OnlyOption(12, 3)), 1'790'000'001'000'000'000 / tick);
    assert_int_equal(SplitTimeOf(block.body.substr(4, 8)), 1'790'000'001'000'000'000 / tick);
    assert_int_equal(NumberOf(block.OnlyOption(12, 4)), 5'000'000'000);
    assert_int_equal(NumberOf(block.OnlyOption(12, 8)), 4'999'999'000);
  }
}

void StatisticsSayWhatWasFilteredOut(void**) {
  std::string out;
  AppendStatistics(out, 0, TimePrecision::kMicroseconds,
                   {.filtered_out = 1234, .undecided = 5, .comment = "Limit reached."});
  const PcapngBlock block = OnlyBlock(out);
  AssertText(block.OnlyOption(12, 1), "Limit reached. 1,234 filtered out, 5 undecided.");
  for (const auto& option : block.Options(12)) assert_true(option.code != 2 && option.code != 3);
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheSectionHeaderIsOfThisMachineAndUnknownLength),
      cmocka_unit_test(TheSectionHeaderStaysBelowTheHeapOfDumpcap),
      cmocka_unit_test(TheInterfaceBlockSaysWhatItIsGiven),
      cmocka_unit_test(EmptyTextsAreNoOptions),
      cmocka_unit_test(TextsAreCutBetweenCharactersAndMadeValid),
      cmocka_unit_test(APacketIsWrittenAsItIs),
      cmocka_unit_test(APacketCarriesItsComments),
      cmocka_unit_test(TheLargestPacketFillsTheLargestBlock),
      cmocka_unit_test(CommentsNeverMakeABlockTooLarge),
      cmocka_unit_test(StatisticsAreInTheResolutionOfTheInterface),
      cmocka_unit_test(StatisticsSayWhatWasFilteredOut),
  };
  return cmocka_run_group_tests_name("pcapng_writer", tests, nullptr, nullptr);
}
