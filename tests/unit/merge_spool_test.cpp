// SPDX-License-Identifier: GPL-2.0-or-later
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "extcap/pcap/spool.h"
#include "tests/unit/merge_parts.h"

namespace cloudflaredump::pcap {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

std::string ReadAll(PartSource& source, std::mt19937& random) {
  std::string all;
  while (source.Available() > 0) {
    Bytes piece(1 + random() % 100'000);
    const Result<std::size_t> got = source.Read(piece);
    assert_true(got.has_value());
    all += ToText(std::span(piece).first(*got));
  }
  return all;
}

/// Bytes that tell their place.
std::string Pattern(std::size_t size, unsigned seed) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>((i * 31 + i / 251 + seed) & 0xff);
  }
  return text;
}

void WhatIsAppendedIsReadInOrder(void**) {
  std::mt19937 random(1);
  for (const std::size_t memory : {std::size_t{0}, std::size_t{100'000}, 10 * kMebibyte}) {
    Spool spool({.memory = memory});
    std::vector<std::unique_ptr<PartSource>> sources;
    std::vector<std::string> want, got;
    for (unsigned part = 0; part < 7; ++part) {
      assert_int_equal(spool.AddPart(), part);
      sources.push_back(spool.Source(part));
      want.push_back(Pattern(random() % 400'000, part));
      got.emplace_back();
    }
    std::vector<std::size_t> sent(want.size());
    for (int step = 0; step < 4000; ++step) {
      const std::size_t part = random() % want.size();
      const std::size_t size =
          std::min<std::size_t>(random() % 5000, want[part].size() - sent[part]);
      assert_true(spool.Append(part, ToBytes(want[part].substr(sent[part], size))).has_value());
      sent[part] += size;
      if (random() % 4 == 0) {
        Bytes piece(random() % 9000);
        const std::uint64_t available = sources[part]->Available();
        const std::size_t read = sources[part]->Read(piece).value();
        assert_int_equal(read, std::min<std::uint64_t>(piece.size(), available));
        got[part] += ToText(std::span(piece).first(read));
      }
    }
    for (std::size_t part = 0; part < want.size(); ++part) {
      assert_true(spool.Append(part, ToBytes(want[part].substr(sent[part]))).has_value());
      assert_false(sources[part]->Ended());
      spool.Finish(part);
      assert_true(sources[part]->Ended());
      assert_null(sources[part]->Failure());
      got[part] += ReadAll(*sources[part], random);
      assert_true(got[part] == want[part]);
    }
    assert_true(spool.memory_used() <= memory);
    assert_int_equal(spool.file_size() > 0, memory < kMebibyte);
  }
}

void MemoryAndTheRoomOfTheFileAreUsedAgain(void**) {
  Spool spool({.memory = kMebibyte});
  std::mt19937 random(2);
  const Bytes piece(300'000);
  for (int round = 0; round < 50; ++round) {
    const std::size_t part = spool.AddPart();
    const auto source = spool.Source(part);
    for (int i = 0; i < 10; ++i) assert_true(spool.Append(part, piece).has_value());
    assert_true(spool.memory_used() <= kMebibyte);
    spool.Finish(part);
    // Every other part is thrown away unread.
    if (round % 2 == 0) assert_int_equal(ReadAll(*source, random).size(), 3'000'000);
  }
  assert_int_equal(spool.memory_used(), 0);
  assert_in_range(spool.file_size(), 1, 3 * kMebibyte);
}

void APartThatNobodyReadsAnyMoreIsThrownAway(void**) {
  Spool spool;
  const std::size_t part = spool.AddPart();
  {
    const auto source = spool.Source(part);
    assert_true(spool.Append(part, Bytes(10'000)).has_value());
    assert_int_not_equal(spool.memory_used(), 0);
  }
  assert_true(spool.Append(part, Bytes(10 * kMebibyte)).has_value());
  assert_int_equal(spool.memory_used(), 0);
}

void TheFileIsPrivateAndHasNoName(void**) {
  char name[] = "/tmp/cloudflaredump-test-XXXXXX";
  assert_non_null(mkdtemp(name));
  Spool spool({.memory = 0, .folder = name});
  spool.AddPart();
  assert_true(std::filesystem::is_empty(name));
  assert_true(spool.Append(0, Bytes(100)).has_value());
  assert_true(std::filesystem::is_empty(name));
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.string().find(name) == std::string::npos) continue;
    ++found;
    struct stat status;
    assert_int_equal(stat(entry.path().c_str(), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_nlink, 0);
  }
  assert_int_equal(found, 1);
  std::filesystem::remove(name);
}

void AFolderThatCannotBeUsedIsNamedWithTheRemedy(void**) {
  Spool spool({.memory = 0, .folder = "/nonexistent/folder"});
  spool.AddPart();
  const Result<void> appended = spool.Append(0, Bytes(10));
  assert_false(appended.has_value());
  AssertText(SentenceOf(appended.error()),
             "the temporary file in /nonexistent/folder cannot be made: No such file or directory; "
             "set TMPDIR to a folder with room for the capture.");
}

void AFullDiskIsAnErrorAndWhatIsStoredStaysReadable(void**) {
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 200'000, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  Spool spool({.memory = 0});
  std::mt19937 random(3);
  const std::size_t part = spool.AddPart();
  const auto source = spool.Source(part);
  std::size_t stored = 0;
  Result<void> appended;
  while (stored < kMebibyte && (appended = spool.Append(part, Bytes(1000, std::byte{7})))) {
    stored += 1000;
  }
  setrlimit(RLIMIT_FSIZE, &before);
  AssertContains(ClauseOf(appended.error()), "cannot be written");
  assert_true(stored > 100'000 && stored <= 200'000);
  spool.Fail(part, appended.error());
  assert_true(source->Ended());
  AssertContains(source->Failure()->what, "cannot be written");
  const std::string read = ReadAll(*source, random);
  assert_in_range(read.size(), stored, stored + 999);
  assert_true(read.find_first_not_of('\x07') == std::string::npos);
}

void APartIsFullOnlyWhenTheMergeCanGoOnWithoutMore(void**) {
  Spool spool({.memory = 2 * kMebibyte});
  for (int part = 0; part < 3; ++part) spool.AddPart();
  std::vector<std::unique_ptr<PartSource>> sources;
  sources.reserve(3);
  for (std::size_t part = 0; part < 3; ++part) sources.push_back(spool.Source(part));
  assert_true(spool.Append(0, Bytes(4 * kMebibyte)).has_value());
  assert_false(spool.Full(0));  // Parts 1 and 2 may need its connection to begin.
  spool.Finish(1);
  assert_false(spool.Full(0));
  assert_true(spool.Append(2, Bytes(1000)).has_value());
  assert_true(spool.Full(0));
  assert_false(spool.Full(2));  // The merge may be waiting for it.
  Bytes sink(3 * kMebibyte + 1000);
  assert_int_equal(sources[0]->Read(sink).value(), sink.size());
  assert_false(spool.Full(0));
}

void WhileMemoryLastsNothingIsFull(void**) {
  Spool spool({.memory = 8 * kMebibyte});
  spool.AddPart();
  assert_true(spool.Append(0, Bytes(4 * kMebibyte)).has_value());
  assert_false(spool.Full(0));
  assert_int_equal(spool.file_size(), 0);
}

/// Transfers of a few parts at a time, in random pieces, paused when full: as a capture has them.
void AMergeOfTransfersIsAStableSort(void**) {
  std::mt19937 random(20260807);
  for (int i = 0; i < 60; ++i) {
    const RandomParts parts(random, {.parts = 1 + random() % 30, .damage = random() % 2 == 0});
    Spool spool({.memory = random() % 2 == 0 ? 0 : kMebibyte});
    std::vector<std::unique_ptr<PartSource>> sources;
    sources.reserve(parts.files.size());
    for (std::size_t part = 0; part < parts.files.size(); ++part) {
      sources.push_back(spool.Source(spool.AddPart()));
    }
    Merge merge(std::move(sources), 1 + random() % 200'000);
    std::vector<std::size_t> sent(parts.files.size());
    std::vector<std::size_t> running;
    std::size_t next = 0;
    std::vector<Expected> given;
    Merge::Step step;
    while ((step = merge.Next()) != Merge::Step::kEnd) {
      if (step == Merge::Step::kPacket) {
        given.push_back(Copy(merge.packet()));
        continue;
      }
      while (running.size() < 4 && next < parts.files.size()) running.push_back(next++);
      assert_false(running.empty());
      const std::size_t at = random() % running.size();
      const std::size_t part = running[at];
      const std::span<const std::byte> rest = std::span(parts.files[part]).subspan(sent[part]);
      const auto piece = rest.first(std::min<std::size_t>(rest.size(), random() % 3000));
      assert_true(spool.Append(part, piece).has_value());
      sent[part] += piece.size();
      if (sent[part] == parts.files[part].size()) {
        spool.Finish(part);
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    AssertSame(given, parts.expected);
    for (std::size_t part = 0; part < parts.files.size(); ++part) {
      assert_int_equal(merge.report(part).loss.has_value(), parts.damaged[part]);
    }
    assert_int_equal(spool.memory_used(), 0);
  }
}

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(std::distance(
      std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

void MergesLeaveNeitherMemoryNorDescriptorsBehind(void**) {
  std::mt19937 random(20260809);
  const RandomParts parts(random, {.parts = 20, .packets = 100, .damage = true});
  const auto merge_once = [&] {
    Spool spool({.memory = 20'000});
    std::vector<std::unique_ptr<PartSource>> sources;
    sources.reserve(parts.files.size());
    for (const Bytes& file : parts.files) {
      const std::size_t part = spool.AddPart();
      sources.push_back(spool.Source(part));
      assert_true(spool.Append(part, file).has_value());
      spool.Finish(part);
    }
    Merge merge(std::move(sources), 1);
    std::size_t packets = 0;
    while (merge.Next() == Merge::Step::kPacket) ++packets;
    assert_int_equal(packets, parts.expected.size());
  };
  merge_once();
  const std::size_t memory = mallinfo2().uordblks;
  const std::size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 300; ++i) merge_once();
  // What malloc itself keeps varies; 300 leaks of anything would be more.
  assert_in_range(mallinfo2().uordblks, 0, memory + 30'000);
  assert_int_equal(OpenDescriptors(), descriptors);
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhatIsAppendedIsReadInOrder),
      cmocka_unit_test(MemoryAndTheRoomOfTheFileAreUsedAgain),
      cmocka_unit_test(APartThatNobodyReadsAnyMoreIsThrownAway),
      cmocka_unit_test(TheFileIsPrivateAndHasNoName),
      cmocka_unit_test(AFolderThatCannotBeUsedIsNamedWithTheRemedy),
      cmocka_unit_test(AFullDiskIsAnErrorAndWhatIsStoredStaysReadable),
      cmocka_unit_test(APartIsFullOnlyWhenTheMergeCanGoOnWithoutMore),
      cmocka_unit_test(WhileMemoryLastsNothingIsFull),
      cmocka_unit_test(AMergeOfTransfersIsAStableSort),
      cmocka_unit_test(MergesLeaveNeitherMemoryNorDescriptorsBehind),
  };
  return cmocka_run_group_tests_name("merge_spool", tests, nullptr, nullptr);
}
