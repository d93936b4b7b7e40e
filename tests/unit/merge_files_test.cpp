// SPDX-License-Identifier: GPL-2.0-or-later
#include <glib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "extcap/pcap/file_parts.h"
#include "tests/unit/merge_parts.h"

namespace cloudflaredump::pcap {
namespace {

namespace fs = std::filesystem;

/// Files in a private folder, gone with it at the end.
class Folder {
 public:
  Folder() {
    char* made = g_dir_make_tmp("cloudflaredump-test-XXXXXX", nullptr);
    assert_non_null(made);
    path_ = made;
    g_free(made);
  }
  ~Folder() { fs::remove_all(path_); }

  std::string Write(const std::string& name, const Bytes& bytes) const {
    const std::string path = path_ / name;
    std::ofstream(path, std::ios::binary) << ToText(bytes);
    return path;
  }
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::string FailureOf(PartSource& source) {
  assert_int_equal(source.Available(), 0);
  assert_true(source.Ended());
  assert_non_null(source.Failure());
  return source.Failure()->what;
}

void ManyFilesAreMergedWithFewDescriptors(void**) {
  std::mt19937 random(20260808);
  const Folder folder;
  const RandomParts parts(random, {.parts = 150, .packets = 100, .damage = true});
  FileParts files(5);
  std::vector<std::unique_ptr<PartSource>> sources;
  sources.reserve(parts.files.size());
  for (std::size_t part = 0; part < parts.files.size(); ++part) {
    sources.push_back(files.Add(folder.Write(std::to_string(part), parts.files[part])));
  }
  const std::size_t before = OpenDescriptors();
  Merge merge(std::move(sources), 1);
  std::vector<Expected> given;
  std::size_t most = 0;
  while (merge.Next() == Merge::Step::kPacket) {
    given.push_back(Copy(merge.packet()));
    if (given.size() % 100 == 0) most = std::max(most, OpenDescriptors() - before);
  }
  AssertSame(given, parts.expected);
  assert_int_equal(most, 5);
  assert_int_equal(OpenDescriptors(), before);
}

void AFileIsReadToItsEnd(void**) {
  const Folder folder;
  FileParts files;
  const auto part = files.Add(folder.Write("part", ToBytes("0123456789")));
  assert_int_equal(part->Available(), 10);
  assert_true(part->Ended());
  Bytes piece(4);
  assert_int_equal(part->Read(piece).value(), 4);
  AssertText(ToText(piece), "0123");
  piece.resize(100);
  assert_int_equal(part->Read(piece).value(), 6);
  AssertText(ToText(std::span(piece).first(6)), "456789");
  assert_int_equal(part->Available(), 0);
  assert_int_equal(part->Read(piece).value(), 0);
  assert_null(part->Failure());
}

void WhatIsNoFileIsNamed(void**) {
  const Folder folder;
  FileParts files;
  AssertText(FailureOf(*files.Add(folder / "missing")),
             "the file cannot be opened: No such file or directory");
  AssertText(FailureOf(*files.Add(folder / "")), "this is not a regular file");
  assert_int_equal(mkfifo((folder / "fifo").c_str(), 0600), 0);
  AssertText(FailureOf(*files.Add(folder / "fifo")), "this is not a regular file");
}

void AMissingFileIsTheLossOfItsPartOnly(void**) {
  const Folder folder;
  FileParts files;
  std::vector<std::unique_ptr<PartSource>> sources;
  sources.push_back(files.Add(folder / "missing"));
  sources.push_back(files.Add(folder.Write("b", PcapBytes().Record(1, 0, "b1").bytes())));
  Merge merge(std::move(sources));
  assert_true(merge.Next() == Merge::Step::kPacket);
  assert_int_equal(merge.losses().size(), 1);
  AssertContains(ClauseOf(merge.losses()[0].error), "cannot be opened");
  assert_true(merge.Next() == Merge::Step::kEnd);
}

void AFileThatIsChangedMeanwhileIsNoticed(void**) {
  const Folder folder;
  FileParts files(1);
  const auto part = files.Add(folder.Write("part", Bytes(1000)));
  const auto other = files.Add(folder.Write("other", Bytes(1000)));
  Bytes piece(10);
  assert_true(part->Read(piece).has_value());
  assert_true(other->Read(piece).has_value());  // Closes the first.
  fs::rename(folder.Write("new", Bytes(1000)), folder / "part");
  const auto changed = part->Read(piece);
  assert_false(changed.has_value());
  AssertText(ClauseOf(changed.error()), "the file was changed while it was read");
}

void AFileThatBecomesShorterIsNoticed(void**) {
  const Folder folder;
  FileParts files;
  const auto part = files.Add(folder.Write("part", Bytes(1000)));
  Bytes piece(800);
  assert_true(part->Read(piece).has_value());
  fs::resize_file(folder / "part", 900);
  AssertText(ClauseOf(part->Read(piece).error()), "the file became shorter while it was read");
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ManyFilesAreMergedWithFewDescriptors),
      cmocka_unit_test(AFileIsReadToItsEnd),
      cmocka_unit_test(WhatIsNoFileIsNamed),
      cmocka_unit_test(AMissingFileIsTheLossOfItsPartOnly),
      cmocka_unit_test(AFileThatIsChangedMeanwhileIsNoticed),
      cmocka_unit_test(AFileThatBecomesShorterIsNoticed),
  };
  return cmocka_run_group_tests_name("merge_files", tests, nullptr, nullptr);
}
