// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/disk_files.h"

#include <sys/stat.h>

#include <functional>

#include "tests/unit/merge_files.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::pcap {
namespace {

namespace fs = std::filesystem;

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::string LossOf(const FileBytes& file) {
  assert_int_equal(file.size(), 0);
  assert_non_null(file.loss());
  return file.loss()->what;
}

std::string Write(const TempFolder& folder, const std::string& name, const Bytes& bytes) {
  return folder.Write(name, ToText(bytes));
}

void ManyFilesAreMergedWithFewDescriptors(void**) {
  std::mt19937 random(20260808);
  const TempFolder folder;
  const RandomFiles made(random, {.files = 150, .packets = 100, .damage = true});
  DiskFiles disk(5);
  FileList files;
  for (std::size_t file = 0; file < made.files.size(); ++file) {
    files.push_back(disk.Open(Write(folder, std::to_string(file), made.files[file])));
  }
  const std::size_t before = OpenDescriptors();
  Merge merge(std::move(files), 1);
  std::vector<Expected> given;
  std::size_t most = 0;
  while (merge.Next()) {
    given.push_back(Copy(merge.packet()));
    if (given.size() % 100 == 0) most = std::max(most, OpenDescriptors() - before);
  }
  AssertSame(given, made.expected);
  assert_int_equal(most, 5);
  assert_int_equal(OpenDescriptors(), before);
}

void AFileIsReadFromAnyPlaceAndAgain(void**) {
  const TempFolder folder;
  DiskFiles disk;
  const std::size_t before = OpenDescriptors();
  const auto file = disk.Open(folder.Write("file", "0123456789"));
  assert_int_equal(file->size(), 10);
  assert_null(file->data());
  assert_null(file->loss());
  assert_int_equal(OpenDescriptors(), before);
  const auto read = [&](std::uint64_t offset, std::size_t size) {
    Bytes piece(size);
    AssertGood(file->Read(offset, piece));
    return ToText(piece);
  };
  AssertText(read(0, 4), "0123");
  assert_int_equal(OpenDescriptors(), before + 1);
  AssertText(read(4, 6), "456789");
  assert_int_equal(OpenDescriptors(), before);  // Read to its end: it may be done with.
  AssertText(read(2, 3), "234");
  AssertText(read(9, 1), "9");
  AssertText(read(10, 0), "");
}

void FilesAreClosedWithTheirOwners(void**) {
  const TempFolder folder;
  DiskFiles disk;
  const std::size_t before = OpenDescriptors();
  Bytes piece(10);
  for (const char* const name : {"a", "b", "c"}) {
    const auto file = disk.Open(Write(folder, name, Bytes(100)));
    AssertGood(file->Read(0, piece));
  }
  assert_int_equal(OpenDescriptors(), before);
}

void TheFileReadLastStaysOpen(void**) {
  const TempFolder folder;
  DiskFiles disk(2);
  FileList files;
  for (const char* const name : {"a", "b", "c"}) {
    files.push_back(disk.Open(Write(folder, name, Bytes(100))));
  }
  Bytes piece(10);
  for (const std::size_t file : {0, 1, 0, 2}) AssertGood(files[file]->Read(0, piece));
  // An open file does not mind that its name is gone; b, read before a, was closed for c.
  for (const char* const name : {"a", "b", "c"}) fs::remove(folder / name);
  AssertGood(files[0]->Read(10, piece));
  AssertGood(files[2]->Read(10, piece));
  assert_false(files[1]->Read(10, piece).has_value());
}

void WhatIsNoFileIsNamed(void**) {
  const TempFolder folder;
  DiskFiles disk;
  AssertText(LossOf(*disk.Open(folder / "missing")),
             "the file cannot be opened: No such file or directory");
  AssertText(LossOf(*disk.Open(folder / "")), "this is not a regular file");
  assert_int_equal(mkfifo((folder / "fifo").c_str(), 0600), 0);
  AssertText(LossOf(*disk.Open(folder / "fifo")), "this is not a regular file");
  folder.Write("target", "text");
  fs::create_symlink(folder / "target", folder / "link");
  AssertText(LossOf(*disk.Open(folder / "link")), "this is not a regular file");
}

void AMissingFileIsItsOwnLossOnly(void**) {
  const TempFolder folder;
  DiskFiles disk;
  FileList files;
  files.push_back(disk.Open(folder / "missing"));
  files.push_back(disk.Open(Write(folder, "b", PcapBytes().Record(1, 0, "b1").bytes())));
  Merge merge(std::move(files));
  assert_true(merge.Next());
  assert_int_equal(merge.losses().size(), 1);
  AssertContains(ClauseOf(merge.losses()[0].error), "cannot be opened");
  assert_false(merge.Next());
}

void AFileThatIsChangedMeanwhileIsNoticed(void**) {
  const TempFolder folder;
  Bytes piece(10);
  const auto changed = [&](const std::function<void(const std::string&)>& change) {
    DiskFiles disk(1);
    fs::remove(folder / "file");
    const auto file = disk.Open(Write(folder, "file", Bytes(1000)));
    const auto other = disk.Open(Write(folder, "other", Bytes(1000)));
    AssertGood(file->Read(0, piece));
    AssertGood(other->Read(0, piece));  // Closes the first.
    change(folder / "file");
    return ClauseOf(ErrorOf(file->Read(10, piece)));
  };
  AssertText(changed([&](const std::string& path) {
               fs::rename(Write(folder, "new", Bytes(1000)), path);
             }),
             "the file was changed while it was read");
  AssertText(changed([](const std::string& path) { fs::resize_file(path, 1001); }),
             "the file was changed while it was read");
  AssertText(changed([](const std::string& path) {
               fs::remove(path);
               assert_int_equal(mkfifo(path.c_str(), 0600), 0);
             }),
             "the file was changed while it was read");
  AssertText(changed([](const std::string& path) { fs::remove(path); }),
             "the file cannot be opened: No such file or directory");
}

void AFileThatBecomesShorterIsNoticed(void**) {
  const TempFolder folder;
  DiskFiles disk;
  const auto file = disk.Open(Write(folder, "file", Bytes(1000)));
  Bytes piece(800);
  AssertGood(file->Read(0, piece));
  fs::resize_file(folder / "file", 900);
  AssertText(ClauseOf(ErrorOf(file->Read(200, piece))),
             "the file became shorter while it was read");
}

void AMergeOfAFileThatShrinksKeepsWhatItHad(void**) {
  const TempFolder folder;
  DiskFiles disk;
  PcapBytes bytes;
  for (std::uint32_t i = 0; i < 100; ++i) bytes.Record(10 + i, 0, std::string(1000, 'x'));
  FileList files;
  files.push_back(disk.Open(Write(folder, "a", bytes.bytes())));
  files.push_back(disk.Open(Write(folder, "b", PcapBytes().Record(1000, 0, "b1").bytes())));
  Merge merge(std::move(files), 1);
  assert_true(merge.Next());
  fs::resize_file(folder / "a", 50'000);
  std::size_t of_a = 1;
  while (merge.Next()) of_a += merge.packet().file == 0 ? 1 : 0;
  assert_in_range(of_a, 45, 49);
  AssertContains(merge.report(0).loss->what, "became shorter");
  assert_int_equal(merge.report(1).packets, 1);
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ManyFilesAreMergedWithFewDescriptors),
      cmocka_unit_test(AFileIsReadFromAnyPlaceAndAgain),
      cmocka_unit_test(FilesAreClosedWithTheirOwners),
      cmocka_unit_test(TheFileReadLastStaysOpen),
      cmocka_unit_test(WhatIsNoFileIsNamed),
      cmocka_unit_test(AMissingFileIsItsOwnLossOnly),
      cmocka_unit_test(AFileThatIsChangedMeanwhileIsNoticed),
      cmocka_unit_test(AFileThatBecomesShorterIsNoticed),
      cmocka_unit_test(AMergeOfAFileThatShrinksKeepsWhatItHad),
  };
  return cmocka_run_group_tests_name("disk_files", tests, nullptr, nullptr);
}
