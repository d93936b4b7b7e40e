// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/file_store.h"

#include <malloc.h>
#include <sys/stat.h>

#include "tests/unit/full_disk.h"
#include "tests/unit/merge_files.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::pcap {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

/// Bytes that tell their place.
std::string Pattern(std::size_t size, unsigned seed) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>((i * 31 + i / 251 + seed) & 0xff);
  }
  return text;
}

/// A file that has arrived whole.
std::unique_ptr<FileBytes> Store(FileStore& store, const Bytes& bytes) {
  FileStore::Arrival arrival = ValueOf(store.Begin(bytes.size()));
  AssertGood(arrival.Append(bytes));
  return std::move(arrival).Finish();
}

std::string ReadAll(FileBytes& file) {
  Bytes bytes(file.size());
  AssertGood(file.Read(0, bytes));
  return ToText(bytes);
}

/// The sizes of the nameless files in `folder` that this process has open.
std::vector<std::uint64_t> NamelessFilesIn(const std::string& folder) {
  std::vector<std::uint64_t> sizes;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone).string().find(folder) == std::string::npos) continue;
    struct stat status;
    assert_int_equal(stat(entry.path().c_str(), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_nlink, 0);
    sizes.push_back(static_cast<std::uint64_t>(status.st_size));
  }
  return sizes;
}

/// Lets temporary files be made in `folder` as long as it lives.
class TemporaryFilesIn {
 public:
  explicit TemporaryFilesIn(const std::string& folder) {
    if (const char* const before = getenv("TMPDIR"); before != nullptr) before_ = before;
    setenv("TMPDIR", folder.c_str(), 1);
  }
  ~TemporaryFilesIn() { before_ ? setenv("TMPDIR", before_->c_str(), 1) : unsetenv("TMPDIR"); }

 private:
  std::optional<std::string> before_;
};

void WhatIsAppendedIsReadFromAnyPlace(void**) {
  std::mt19937 random(1);
  for (const std::size_t memory : {std::size_t{0}, std::size_t{600'000}, 10 * kMebibyte}) {
    FileStore store(memory);
    std::vector<FileStore::Arrival> arrivals;
    std::vector<std::string> want;
    for (unsigned file = 0; file < 7; ++file) {
      want.push_back(Pattern(random() % 400'000, file));
      arrivals.push_back(ValueOf(store.Begin(want.back().size())));
    }
    // Side by side, in pieces.
    for (int step = 0; step < 4000; ++step) {
      const std::size_t file = random() % want.size();
      const std::string piece = want[file].substr(arrivals[file].size(), random() % 5000);
      AssertGood(arrivals[file].Append(ToBytes(piece)));
    }
    std::size_t in_memory = 0;
    for (std::size_t file = 0; file < want.size(); ++file) {
      AssertGood(arrivals[file].Append(ToBytes(want[file].substr(arrivals[file].size()))));
      const auto bytes = std::move(arrivals[file]).Finish();
      assert_int_equal(bytes->size(), want[file].size());
      assert_null(bytes->loss());
      assert_true(ReadAll(*bytes) == want[file]);
      for (int i = 0; i < 20; ++i) {
        const std::size_t at = random() % (want[file].size() + 1);
        Bytes piece(random() % (want[file].size() - at + 1));
        AssertGood(bytes->Read(at, piece));
        assert_true(ToText(piece) == want[file].substr(at, piece.size()));
      }
      if (bytes->data() == nullptr) continue;
      in_memory += bytes->size();
      assert_true(ToText({bytes->data(), bytes->size()}) == want[file]);
    }
    assert_true(in_memory <= memory);
    assert_int_equal(in_memory > 0, memory > 0);
  }
}

void MemoryIsUsedUpToItsLimit(void**) {
  FileStore store(1000);
  assert_non_null(Store(store, Bytes(600))->data());
  assert_null(Store(store, Bytes(401))->data());
  assert_non_null(Store(store, Bytes(400))->data());
  assert_null(Store(store, Bytes(1))->data());
  assert_int_equal(Store(store, Bytes())->size(), 0);
}

void AFileMayArriveAgain(void**) {
  for (const std::size_t memory : {0, 1000}) {
    FileStore store(memory);
    FileStore::Arrival arrival = ValueOf(store.Begin(10));
    AssertGood(arrival.Append(ToBytes("damaged!")));
    arrival.Restart();
    assert_int_equal(arrival.size(), 0);
    AssertGood(arrival.Append(ToBytes("good")));
    assert_int_equal(arrival.size(), 4);
    AssertText(ReadAll(*std::move(arrival).Finish()), "good");
  }
}

void WhatDidNotComeIsNotThere(void**) {
  for (const std::size_t memory : {0, 1000}) {
    FileStore store(memory);
    FileStore::Arrival cut = ValueOf(store.Begin(100));
    FileStore::Arrival next = ValueOf(store.Begin(100));
    AssertGood(next.Append(ToBytes("next")));
    AssertGood(cut.Append(ToBytes("cut")));
    AssertText(ReadAll(*std::move(cut).Finish()), "cut");
    AssertText(ReadAll(*std::move(next).Finish()), "next");
  }
}

void MoreThanWasSaidIsAnError(void**) {
  for (const std::size_t memory : {0, 10'000}) {
    FileStore store(memory);
    FileStore::Arrival arrival = ValueOf(store.Begin(2000));
    FileStore::Arrival behind = ValueOf(store.Begin(5));
    AssertGood(behind.Append(ToBytes("other")));
    AssertGood(arrival.Append(Bytes(1999, std::byte{'x'})));
    AssertText(ClauseOf(ErrorOf(arrival.Append(Bytes(2)))), "the file is larger than 2,000 bytes");
    AssertGood(arrival.Append(ToBytes("y")));
    assert_false(arrival.Append(Bytes(1)).has_value());
    AssertText(ReadAll(*std::move(arrival).Finish()), std::string(1999, 'x') + "y");
    AssertText(ReadAll(*std::move(behind).Finish()), "other");
  }
}

void TheDiskIsOnePrivateFileWithoutAName(void**) {
  const TempFolder folder;
  const TemporaryFilesIn here(folder.path());
  FileStore store(100);
  const auto first = Store(store, Bytes(100));
  assert_int_equal(NamelessFilesIn(folder.path()).size(), 0);
  const auto second = Store(store, Bytes(1000));
  const auto third = Store(store, Bytes(2000));
  assert_int_equal(folder.Count(), 0);
  assert_true(NamelessFilesIn(folder.path()) == std::vector<std::uint64_t>{3000});
}

void AFolderThatCannotBeUsedIsNamedWithTheRemedy(void**) {
  const TemporaryFilesIn nowhere("/nonexistent/folder");
  FileStore store(0);
  AssertText(SentenceOf(ErrorOf(store.Begin(10))),
             "the temporary file in /nonexistent/folder cannot be made: No such file or directory; "
             "set TMPDIR to a folder with room for the capture.");
}

void AFullDiskIsAnErrorAndWhatIsStoredStaysReadable(void**) {
  FileStore store(0);
  FileStore::Arrival arrival = ValueOf(store.Begin(kMebibyte));
  const FullDisk full(200'000);
  Result<void> appended;
  while (appended && arrival.size() < kMebibyte) {
    appended = arrival.Append(Bytes(999, std::byte{7}));
  }
  const Error error = ErrorOf(appended);
  AssertContains(error.what, "cannot be written");
  AssertContains(error.remedy, "TMPDIR");
  assert_int_equal(arrival.size(), 200'000);
  const auto file = std::move(arrival).Finish();
  assert_int_equal(file->size(), 200'000);
  assert_true(ReadAll(*file).find_first_not_of('\x07') == std::string::npos);
}

void AFullDiskAtTheEndIsALoss(void**) {
  FileStore store(0);
  FileStore::Arrival arrival = ValueOf(store.Begin(kMebibyte));
  AssertGood(arrival.Append(Bytes(1000, std::byte{7})));
  const FullDisk full(600);
  const auto file = std::move(arrival).Finish();
  AssertContains(file->loss()->what, "cannot be written");
  AssertText(ReadAll(*file), std::string(600, '\x07'));
}

/// Transfers side by side, in random pieces, as a capture has them.
void AMergeOfStoredFilesIsAStableSort(void**) {
  std::mt19937 random(20260807);
  for (int i = 0; i < 60; ++i) {
    const RandomFiles made(random, {.files = 1 + random() % 30, .damage = random() % 2 == 0});
    FileStore store(random() % 3 * 100'000);
    std::vector<FileStore::Arrival> arrivals;
    arrivals.reserve(made.files.size());
    std::vector<std::size_t> running;
    for (std::size_t file = 0; file < made.files.size(); ++file) {
      arrivals.push_back(ValueOf(store.Begin(made.files[file].size())));
      running.push_back(file);
    }
    while (!running.empty()) {
      const std::size_t at = random() % std::min<std::size_t>(4, running.size());
      FileStore::Arrival& arrival = arrivals[running[at]];
      const auto rest = std::span(made.files[running[at]]).subspan(arrival.size());
      AssertGood(arrival.Append(rest.first(std::min<std::size_t>(rest.size(), random() % 3000))));
      if (arrival.size() < made.files[running[at]].size()) continue;
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    }
    FileList files;
    for (FileStore::Arrival& arrival : arrivals) files.push_back(std::move(arrival).Finish());
    Merge merge(std::move(files), 1 + random() % 200'000);
    AssertSame(Drain(merge), made.expected);
    for (std::size_t file = 0; file < made.files.size(); ++file) {
      assert_int_equal(merge.report(file).loss.has_value(), made.damaged[file]);
    }
  }
}

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

void MergesLeaveNeitherMemoryNorDescriptorsBehind(void**) {
  std::mt19937 random(20260809);
  const RandomFiles made(random, {.files = 20, .packets = 100, .damage = true});
  const auto merge_once = [&] {
    FileStore store(20'000);
    FileList files;
    for (const Bytes& file : made.files) files.push_back(Store(store, file));
    Merge merge(std::move(files), 1);
    std::size_t packets = 0;
    while (merge.Next()) ++packets;
    assert_int_equal(packets, made.expected.size());
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
      cmocka_unit_test(WhatIsAppendedIsReadFromAnyPlace),
      cmocka_unit_test(MemoryIsUsedUpToItsLimit),
      cmocka_unit_test(AFileMayArriveAgain),
      cmocka_unit_test(WhatDidNotComeIsNotThere),
      cmocka_unit_test(MoreThanWasSaidIsAnError),
      cmocka_unit_test(TheDiskIsOnePrivateFileWithoutAName),
      cmocka_unit_test(AFolderThatCannotBeUsedIsNamedWithTheRemedy),
      cmocka_unit_test(AFullDiskIsAnErrorAndWhatIsStoredStaysReadable),
      cmocka_unit_test(AFullDiskAtTheEndIsALoss),
      cmocka_unit_test(AMergeOfStoredFilesIsAStableSort),
      cmocka_unit_test(MergesLeaveNeitherMemoryNorDescriptorsBehind),
  };
  return cmocka_run_group_tests_name("file_store", tests, nullptr, nullptr);
}
