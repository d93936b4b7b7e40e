// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/gunzip.h"

#include <zlib.h>

#include "tests/unit/full_disk.h"
#include "tests/unit/merge_files.h"
#include "tests/unit/results.h"

namespace cloudflaredump::pcap {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

/// `text` as one gzip member, by zlib.
Bytes Gzip(const std::string& text) {
  z_stream stream = {};
  constexpr int kGzip = 15 + 16;
  assert_int_equal(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, 0), Z_OK);
  Bytes out(deflateBound(&stream, text.size()) + 32);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

Bytes Joined(const std::vector<Bytes>& pieces) {
  Bytes all;
  for (const Bytes& piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

/// Text that does not become short.
std::string RandomText(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

struct Unpacked {
  std::string text;
  std::string loss;
};

Unpacked Unpack(FileBytes& file, std::uint64_t most = kPlenty,
                std::size_t memory = FileStore::kMemory) {
  FileStore store(memory);
  const auto unpacked = ValueOf(Gunzip(file, store, most, [] { return false; }));
  Bytes bytes(unpacked->size());
  AssertGood(unpacked->Read(0, bytes));
  return {.text = ToText(bytes), .loss = unpacked->loss() == nullptr ? "" : unpacked->loss()->what};
}

Unpacked Unpack(const Bytes& file, std::uint64_t most = kPlenty,
                std::size_t memory = FileStore::kMemory) {
  MemoryFile bytes(ToText(file));
  return Unpack(bytes, most, memory);
}

void AssertWhole(const Unpacked& unpacked, const std::string& text) {
  AssertText(unpacked.loss, "");
  assert_true(unpacked.text == text);
}

void GzipIsKnownByItsFirstBytes(void**) {
  const auto is_gzip = [](const Bytes& bytes) {
    MemoryFile file(ToText(bytes));
    WindowFile window(bytes);
    const bool is = IsGzip(file);
    assert_int_equal(IsGzip(window), is);
    return is;
  };
  assert_true(is_gzip(Gzip("")));
  assert_true(is_gzip(Gzip("text")));
  assert_false(is_gzip({}));
  assert_false(is_gzip(PcapBytes().bytes()));
  assert_false(is_gzip(ToBytes("\x1f\x8b")));
  WindowFile unreadable(Gzip("text"));
  unreadable.lost_from = 0;
  assert_false(IsGzip(unreadable));
}

void FilesOfAllSizesComeBack(void**) {
  std::mt19937 random(1);
  // Around the pieces in which it is read and written, on either side.
  for (const std::size_t size :
       {0UL, 1UL, 65'500UL, 65'535UL, 65'536UL, 65'537UL, 131'072UL, 300'000UL}) {
    for (const std::string& text : {std::string(size, 'a'), RandomText(random, size)}) {
      const Bytes file = Gzip(text);
      AssertWhole(Unpack(file), text);
      AssertWhole(Unpack(file, text.size(), 0), text);  // on disk, and just small enough
      WindowFile window(file);
      AssertWhole(Unpack(window), text);
    }
  }
}

void MembersFollowEachOther(void**) {
  std::mt19937 random(2);
  std::vector<Bytes> members;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    const std::string piece = RandomText(random, random() % 10'000);
    members.push_back(Gzip(piece));
    text += piece;
    AssertWhole(Unpack(Joined(members)), text);
  }
}

void EveryCutGivesItsGoodStart(void**) {
  const std::string text = "the first member, of which the end may be missing";
  const Bytes first = Gzip(text);
  const Bytes file = Joined({first, Gzip(text)});
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Unpacked cut = Unpack(Bytes(file.begin(), file.begin() + static_cast<long>(size)));
    if (size == first.size()) {
      AssertWhole(cut, text);
      continue;
    }
    AssertText(cut.loss, "the gzip file is cut");
    assert_true((text + text).starts_with(cut.text));
    if (size > first.size()) assert_true(cut.text.size() >= text.size());
  }
}

void DamageGivesTheGoodStart(void**) {
  std::mt19937 random(3);
  const std::string text = RandomText(random, 200'000);
  Bytes file = Gzip(text);
  file[file.size() - 6] ^= std::byte{1};  // the checksum
  const Unpacked checksum = Unpack(file);
  AssertText(checksum.loss, "the gzip file is damaged");
  assert_true(checksum.text == text);
  // A block of a kind that does not exist.
  Bytes head = Gzip("");
  head[10] = std::byte{0x07};
  AssertText(Unpack(head).loss, "the gzip file is damaged");
  const Unpacked behind = Unpack(Joined({Gzip("good"), ToBytes("no gzip behind it")}));
  AssertText(behind.text, "good");
  AssertText(behind.loss, "the gzip file is damaged");
  for (int i = 0; i < 300; ++i) {
    Bytes flipped = Gzip(text.substr(0, 2000));
    flipped[random() % flipped.size()] ^= std::byte(1 + random() % 255);
    const Unpacked unpacked = Unpack(flipped, 1'000'000);
    if (unpacked.loss.empty()) assert_true(unpacked.text == text.substr(0, 2000));
  }
}

void WhatIsNotGzipGivesNothing(void**) {
  const Unpacked unpacked = Unpack(PcapBytes().Record(1, 0, "x").bytes());
  AssertText(unpacked.text, "");
  AssertText(unpacked.loss, "the gzip file is damaged");
}

void ABombIsBounded(void**) {
  const Bytes bomb = Gzip(std::string(64 << 20, '\0'));
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65'536},
                                   std::uint64_t{1'000'000}, std::uint64_t{(64 << 20) - 1}}) {
    const Unpacked unpacked = Unpack(bomb, most, 0);
    assert_int_equal(unpacked.text.size(), most);
    AssertText(unpacked.loss, "the gzip file unpacks to more than a capture can have");
  }
  const Bytes members = Joined({Gzip("12345"), Gzip("67890")});
  AssertText(Unpack(members, 7).text, "1234567");
  AssertWhole(Unpack(members, 10), "1234567890");
}

void AStopEndsTheUnpacking(void**) {
  MemoryFile file(ToText(Gzip(std::string(10 << 20, 'x'))));
  for (const int last : {0, 3, 170}) {  // at once; in the first pass, and in the second
    FileStore store(FileStore::kMemory);
    int looks = 0;
    const auto unpacked = ValueOf(Gunzip(file, store, kPlenty, [&] { return looks++ >= last; }));
    AssertText(unpacked->loss()->what,
               "it was not unpacked to its end when the time to stop had come");
    assert_true(looks <= last + 2);
  }
}

void TheLossOfTheTransferSaysMore(void**) {
  Bytes file = Gzip("what came");
  for (const bool cut : {false, true}) {
    if (cut) file.resize(file.size() - 4);
    MemoryFile bytes(ToText(file));
    bytes.SetLoss({.what = "the connection was lost"});
    const Unpacked unpacked = Unpack(bytes);
    AssertText(unpacked.text, "what came");
    AssertText(unpacked.loss, "the connection was lost");
  }
}

void WhatCannotBeReadIsALoss(void**) {
  std::mt19937 random(4);
  const std::string text = RandomText(random, 200'000);
  WindowFile file(Gzip(text));
  file.lost_from = 100'000;
  const Unpacked unpacked = Unpack(file);
  AssertText(unpacked.loss, "Input/output error");
  assert_true(text.starts_with(unpacked.text) && unpacked.text.size() > 60'000);
}

void AFullDiskIsALoss(void**) {
  std::mt19937 random(5);
  const Bytes file = Gzip(RandomText(random, 300'000));
  const FullDisk full(100'000);
  const Unpacked unpacked = Unpack(file, kPlenty, 0);
  AssertContains(unpacked.loss, "cannot be written");
  assert_in_range(unpacked.text.size(), 1, 100'000);
}

void AFolderThatCannotBeUsedIsAnError(void**) {
  setenv("TMPDIR", "/nonexistent/folder", 1);
  MemoryFile file(ToText(Gzip("text")));
  FileStore store(0);
  AssertFails(Gunzip(file, store, kPlenty, [] { return false; }), Error::Kind::kFinal,
              "set TMPDIR");
  unsetenv("TMPDIR");
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(GzipIsKnownByItsFirstBytes),
      cmocka_unit_test(FilesOfAllSizesComeBack),
      cmocka_unit_test(MembersFollowEachOther),
      cmocka_unit_test(EveryCutGivesItsGoodStart),
      cmocka_unit_test(DamageGivesTheGoodStart),
      cmocka_unit_test(WhatIsNotGzipGivesNothing),
      cmocka_unit_test(ABombIsBounded),
      cmocka_unit_test(AStopEndsTheUnpacking),
      cmocka_unit_test(TheLossOfTheTransferSaysMore),
      cmocka_unit_test(WhatCannotBeReadIsALoss),
      cmocka_unit_test(AFullDiskIsALoss),
      cmocka_unit_test(AFolderThatCannotBeUsedIsAnError),
  };
  return cmocka_run_group_tests_name("gunzip", tests, nullptr, nullptr);
}
