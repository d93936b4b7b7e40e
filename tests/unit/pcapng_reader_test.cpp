// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcapng_reader.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <bit>

#include "extcap/pcap/pcapng_writer.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::pcap {
namespace {

/// Writes pcapng in either byte order.
class Blocks {
 public:
  explicit Blocks(bool big) : swap_(big != (std::endian::native == std::endian::big)) {}

  Blocks& Section() { return Block(0x0a0d0d0a, W(0x1a2b3c4d) + H(1) + H(0) + W(~0U) + W(~0U)); }
  Blocks& Interface(std::uint16_t link_type, const std::string& options = "") {
    return Block(1, H(link_type) + H(0) + W(0) + options);
  }
  Blocks& Packet(std::uint32_t interface, std::uint64_t ticks, const std::string& data,
                 const std::string& options = "") {
    const auto size = static_cast<std::uint32_t>(data.size());
    return Block(6, W(interface) + W(static_cast<std::uint32_t>(ticks >> 32)) +
                        W(static_cast<std::uint32_t>(ticks)) + W(size) + W(size + 1) + Pad(data) +
                        options);
  }
  Blocks& Block(std::uint32_t type, const std::string& body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    text += W(type) + W(length) + body + W(length);
    return *this;
  }
  std::string Option(std::uint16_t code, const std::string& value) const {
    return H(code) + H(static_cast<std::uint16_t>(value.size())) + Pad(value);
  }
  std::string W(std::uint32_t word) const { return Raw(swap_ ? std::byteswap(word) : word); }
  std::string H(std::uint16_t half) const { return Raw(swap_ ? std::byteswap(half) : half); }
  std::string L(std::uint64_t number) const { return Raw(swap_ ? std::byteswap(number) : number); }

  std::string text;

 private:
  template <class T>
  static std::string Raw(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }
  static std::string Pad(std::string data) {
    data.resize((data.size() + 3) / 4 * 4);
    return data;
  }
  bool swap_;
};

struct Read {
  std::vector<FileRecord> records;
  std::vector<std::string> bytes;
  std::vector<FileInterface> interfaces;
  std::string error;
};

Read ReadAll(const std::string& file) {
  const int fd = memfd_create("test", 0);
  assert_int_equal(write(fd, file.data(), file.size()), file.size());
  lseek(fd, 0, SEEK_SET);
  Read read;
  auto reader = CaptureReader::FromDescriptor(fd, CaptureReader::Comments::kRead);
  if (!reader) {
    read.error = reader.error().what;
    return read;
  }
  FileRecord record;
  for (;;) {
    const auto more = reader->Next(record);
    if (!more) read.error = more.error().what;
    if (!more || !*more) break;
    read.bytes.push_back(ToText(record.bytes));
    read.records.push_back(record);
  }
  read.interfaces = reader->interfaces();
  return read;
}

void SectionsOfEitherByteOrder(void**) {
  Blocks big(true);
  big.Section().Interface(1, big.Option(2, "eth0") + big.Option(9, "\x09") + big.W(0));
  big.Packet(0, 5'000'000'001, "abcde", big.Option(1, "a comment") + big.W(0));
  Blocks little(false);
  little.Section().Interface(101).Interface(
      113, little.Option(9, "\x83") + little.Option(14, little.L(10)) + little.W(0));
  little.Packet(0, 7'000'000, "x").Packet(1, 17, "yy");
  const Read read = ReadAll(big.text + little.text);
  AssertText(read.error, "");
  assert_int_equal(read.records.size(), 3);
  assert_int_equal(*read.records[0].time, 5'000'000'001);
  AssertText(read.records[0].comments[0], "a comment");
  assert_int_equal(read.records[0].original_length, 6);
  assert_int_equal(*read.records[1].time, 7'000'000'000);
  // 17 eighths of a second and ten seconds.
  assert_int_equal(*read.records[2].time, 12'125'000'000);
  AssertText(read.bytes[2], "yy");
  assert_int_equal(read.records[2].interface, 2);
  AssertText(read.interfaces[0].name, "eth0");
  assert_int_equal(read.interfaces[2].link_type, 113);
}

void SimpleAndObsoletePacketBlocks(void**) {
  Blocks blocks(false);
  blocks.Section().Interface(101);
  blocks.Block(3, blocks.W(3) + std::string("abc\0", 4));
  blocks.Block(2, blocks.H(0) + blocks.H(0) + blocks.W(0) + blocks.W(9'000'000) + blocks.W(2) +
                      blocks.W(2) + std::string("hi\0\0", 4));
  const Read read = ReadAll(blocks.text);
  AssertText(read.error, "");
  assert_int_equal(read.records.size(), 2);
  assert_false(read.records[0].time.has_value());
  AssertText(read.bytes[0], "abc");
  assert_int_equal(*read.records[1].time, 9'000'000'000);
}

void StatisticsAndUnknownBlocks(void**) {
  Blocks blocks(true);
  blocks.Section().Interface(1).Block(0x0bad, std::string(2'000'000, 'z')).Packet(0, 1, "p");
  blocks.Block(5, blocks.W(0) + blocks.W(0) + blocks.W(0) + blocks.Option(5, blocks.L(40)) +
                      blocks.Option(7, blocks.L(2)) + blocks.Option(4, blocks.L(99)) + blocks.W(0));
  const Read read = ReadAll(blocks.text);
  AssertText(read.error, "");
  assert_int_equal(read.records.size(), 1);
  assert_int_equal(*read.interfaces[0].dropped, 42);
  assert_int_equal(*read.interfaces[0].received, 99);
}

void DamageKeepsWhatCameBefore(void**) {
  Blocks blocks(false);
  blocks.Section().Interface(1).Packet(0, 1, "good");
  const std::string good = blocks.text;
  struct Case {
    std::string more, words;
  };
  const Case cases[] = {
      {blocks.W(6) + blocks.W(13) + blocks.W(0), "a block that claims 13 bytes"},
      {blocks.W(6) + blocks.W(0xfffffff0) + blocks.W(0), "a block that claims"},
      {Blocks(false).Packet(3, 1, "x").text, "a packet of interface 3"},
      {Blocks(false).Packet(0, 1, "xxxx").text.substr(0, 30), "cut"},
      {blocks.W(0x0a0d0d0a) + blocks.W(28) + std::string(20, '\0'), "without a byte order"},
  };
  for (const Case& damaged : cases) {
    const Read read = ReadAll(good + damaged.more);
    assert_int_equal(read.records.size(), 1);
    AssertContains(read.error, damaged.words);
    AssertContains(read.error, "after 1 packet");
  }
}

void ClassicFilesAndGzip(void**) {
  for (const bool big : {false, true}) {
    PcapBytes file({.magic = 0xa1b23c4d, .big_endian = big, .link_type = 113});
    file.Record(3, 999, "first").Record(4, 0, "second", 100);
    const std::string text = ToText(file.bytes());
    std::string packed(compressBound(text.size()) + 100, '\0');
    z_stream stream = {};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    for (const std::string& form : {text, packed}) {
      const Read read = ReadAll(form);
      AssertText(read.error, "");
      assert_int_equal(read.records.size(), 2);
      assert_int_equal(*read.records[0].time, 3'000'000'999);
      assert_int_equal(read.records[1].original_length, 100);
      assert_int_equal(read.interfaces[0].link_type, 113);
    }
    AssertContains(ReadAll(packed.substr(0, packed.size() - 12)).error, "gzip");
  }
}

void WhatIsNoCaptureIsSaid(void**) {
  AssertContains(ReadAll("").error, "empty");
  AssertContains(ReadAll("<html><body>not found</body></html>").error, "HTML");
  AssertContains(ReadAll(std::string(40, 'q')).error, "not a");
}

/// A small gzip file can claim tens of thousands of interfaces with long texts.
void TheTextsOfInterfacesAreBounded(void**) {
  Blocks blocks(false);
  blocks.Section();
  const std::string options = blocks.Option(3, std::string(65'000, 'x')) + blocks.W(0);
  for (int i = 0; i < 1100; ++i) blocks.Interface(1, options);
  blocks.Packet(1099, 1'000'000, "abc");
  const Read read = ReadAll(blocks.text);
  AssertText(read.error, "");
  assert_int_equal(read.interfaces.size(), 1100);
  std::size_t texts = 0;
  for (const FileInterface& interface : read.interfaces) texts += interface.description.size();
  assert_true(texts > (60 << 20) && texts <= (64 << 20));
  AssertText(read.bytes[0], "abc");
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheTextsOfInterfacesAreBounded),
      cmocka_unit_test(SectionsOfEitherByteOrder),
      cmocka_unit_test(SimpleAndObsoletePacketBlocks),
      cmocka_unit_test(StatisticsAndUnknownBlocks),
      cmocka_unit_test(DamageKeepsWhatCameBefore),
      cmocka_unit_test(ClassicFilesAndGzip),
      cmocka_unit_test(WhatIsNoCaptureIsSaid),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
