// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/anonymous_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tests/unit/full_disk.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string ReadAll(const AnonymousFile& file, std::uint64_t offset, std::size_t at_most) {
  std::string text(at_most, '?');
  text.resize(ValueOf(file.ReadAt(offset, std::as_writable_bytes(std::span(text)))));
  return text;
}

void ItHasNoNameAndIsItsOwners(void**) {
  const TempFolder folder;
  const mode_t before = umask(0);
  const AnonymousFile file = ValueOf(AnonymousFile::Make(folder.path()));
  umask(before);
  assert_int_equal(folder.Count(), 0);
  struct stat status = {};
  assert_int_equal(fstat(file.fd(), &status), 0);
  assert_int_equal(status.st_nlink, 0);
  assert_int_equal(status.st_mode & 07777, 0600);
  assert_true((fcntl(file.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

void WhatIsWrittenIsReadFromAnyPlace(void**) {
  const TempFolder folder;
  AnonymousFile file = ValueOf(AnonymousFile::Make(folder.path()));
  AssertGood(file.WriteAt(3, Bytes("defg")));
  AssertGood(file.WriteAt(0, Bytes("abc")));
  AssertGood(file.WriteAt(1, Bytes("")));
  AssertText(ReadAll(file, 0, 100), "abcdefg");
  AssertText(ReadAll(file, 2, 3), "cde");
  AssertText(ReadAll(file, 7, 10), "");
  AssertText(ReadAll(file, 5'000'000'000, 10), "");
}

void PlacesBeyondFourGibibytesAreReached(void**) {
  const TempFolder folder;
  AnonymousFile file = ValueOf(AnonymousFile::Make(folder.path()));
  constexpr std::uint64_t kFar = (std::uint64_t{1} << 32) + 5;
  AssertGood(file.WriteAt(0, Bytes("near")));
  AssertGood(file.WriteAt(kFar, Bytes("far")));  // a hole takes no room
  AssertText(ReadAll(file, kFar, 10), "far");
  AssertText(ReadAll(file, 0, 4), "near");
}

void TheFolderIsTMPDIR(void**) {
  const TempFolder folder;
  const std::string absent = folder / "absent";
  setenv("TMPDIR", absent.c_str(), 1);
  AssertFails(AnonymousFile::Make(), Error::Kind::kFinal, "the temporary file in " + absent);
  for (const char* none : {"", static_cast<const char*>(nullptr)}) {
    none == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", none, 1);
    struct stat made = {};
    struct stat expected = {};
    assert_int_equal(fstat(ValueOf(AnonymousFile::Make()).fd(), &made), 0);
    assert_int_equal(stat("/var/tmp", &expected), 0);
    assert_int_equal(made.st_dev, expected.st_dev);
  }
}

void AFolderThatCannotBeUsedNamesTMPDIR(void**) {
  const TempFolder folder;
  folder.Write("file", "");
  for (const char* const name : {"absent", "file"}) {
    const Error error = ErrorOf(AnonymousFile::Make(folder / name));
    AssertContains(error.what, "the temporary file in " + (folder / name) + " cannot be made: ");
    AssertText(error.remedy, "set TMPDIR to a folder with room for the capture");
  }
}

void NoRoomNamesTMPDIR(void**) {
  const TempFolder folder;
  AnonymousFile file = ValueOf(AnonymousFile::Make(folder.path()));
  const FullDisk full(10);
  const auto written = file.WriteAt(0, Bytes("twelve bytes"));
  const Error error = ErrorOf(written);
  AssertContains(error.what, "cannot be written: ");
  AssertContains(error.remedy, "TMPDIR");
}

void AMovedFileIsClosedOnce(void**) {
  const TempFolder folder;
  int descriptor = -1;
  {
    AnonymousFile first = ValueOf(AnonymousFile::Make(folder.path()));
    AssertGood(first.WriteAt(0, Bytes("kept")));
    descriptor = first.fd();
    AnonymousFile second(std::move(first));
    AnonymousFile third = ValueOf(AnonymousFile::Make(folder.path()));
    third = std::move(second);
    assert_int_equal(third.fd(), descriptor);
    AssertText(ReadAll(third, 0, 10), "kept");
  }
  assert_int_equal(fcntl(descriptor, F_GETFD), -1);
  assert_int_equal(errno, EBADF);
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ItHasNoNameAndIsItsOwners),
      cmocka_unit_test(WhatIsWrittenIsReadFromAnyPlace),
      cmocka_unit_test(PlacesBeyondFourGibibytesAreReached),
      cmocka_unit_test(TheFolderIsTMPDIR),
      cmocka_unit_test(AFolderThatCannotBeUsedNamesTMPDIR),
      cmocka_unit_test(NoRoomNamesTMPDIR),
      cmocka_unit_test(AMovedFileIsClosedOnce),
  };
  return cmocka_run_group_tests_name("anonymous_file", tests, nullptr, nullptr);
}
