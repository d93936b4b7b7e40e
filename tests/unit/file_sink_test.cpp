// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/file_sink.h"

#include <unistd.h>

#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

void WhatIsWrittenIsInTheFile(void**) {
  const TempFolder folder;
  FileSink sink(folder / "out.pcapng");
  AssertGood(sink.Write("one "));
  AssertGood(sink.Write(""));
  AssertGood(sink.Write(std::string_view("t\0o", 3)));
  AssertGood(sink.Close());
  assert_true(ReadFile(folder / "out.pcapng") == std::string("one t\0o", 7));
  assert_int_equal(ModeOf(folder / "out.pcapng"), 0600);
}

void AnOlderFileIsReplacedAtTheFirstByte(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("out.pcapng", "yesterday's capture");
  FileSink sink(path);
  AssertText(ReadFile(path), "yesterday's capture");
  AssertGood(sink.Write("new"));
  AssertGood(sink.Close());
  AssertText(ReadFile(path), "new");
}

void ACaptureThatNeverBeganLeavesTheOlderFile(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("out.pcapng", "yesterday's capture");
  {
    FileSink sink(path);
    AssertGood(sink.Close());
  }
  AssertText(ReadFile(path), "yesterday's capture");
}

void AFolderThatIsNotThereIsNamed(void**) {
  FileSink sink("/nonexistent/out.pcapng");
  AssertFails(sink.Write("x"), Error::Kind::kFinal,
              "cannot create /nonexistent/out.pcapng: No such file or directory; give another "
              "file with -w.");
}

void WhetherItCanBeWrittenIsKnownBefore(void**) {
  const TempFolder folder;
  const std::string older = folder.Write("older.pcapng", "yesterday's capture");
  AssertGood(FileSink(older).Check());
  AssertText(ReadFile(older), "yesterday's capture");
  const std::string path = folder / "new.pcapng";
  AssertGood(FileSink(path).Check());
  assert_true(access(path.c_str(), F_OK) != 0);
  AssertFails(FileSink("/nonexistent/out.pcapng").Check(), Error::Kind::kFinal,
              "cannot create /nonexistent/out.pcapng: No such file or directory");
}

void ALinkIsCheckedWhereItLeads(void**) {
  const TempFolder folder;
  const std::string link = folder / "link.pcapng";
  const std::string second = folder / "second.pcapng";
  assert_int_equal(symlink("/nonexistent/out.pcapng", link.c_str()), 0);
  assert_int_equal(symlink("link.pcapng", second.c_str()), 0);
  AssertFails(FileSink(second).Check(), Error::Kind::kFinal, "cannot create");
  assert_int_equal(unlink(link.c_str()), 0);
  assert_int_equal(symlink("new.pcapng", link.c_str()), 0);
  AssertGood(FileSink(second).Check());
  assert_true(access((folder / "new.pcapng").c_str(), F_OK) != 0);
}

void AFullDiskFailsNowAndEverAfter(void**) {
  FileSink sink("/dev/full");
  AssertFails(sink.Write("x"), Error::Kind::kFinal,
              "cannot write /dev/full: No space left on device");
  AssertFails(sink.Write("y"), Error::Kind::kFinal, "cannot write /dev/full");
  AssertFails(sink.Write(""), Error::Kind::kFinal, "cannot write /dev/full");
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhatIsWrittenIsInTheFile),
      cmocka_unit_test(AnOlderFileIsReplacedAtTheFirstByte),
      cmocka_unit_test(ACaptureThatNeverBeganLeavesTheOlderFile),
      cmocka_unit_test(AFolderThatIsNotThereIsNamed),
      cmocka_unit_test(WhetherItCanBeWrittenIsKnownBefore),
      cmocka_unit_test(ALinkIsCheckedWhereItLeads),
      cmocka_unit_test(AFullDiskFailsNowAndEverAfter),
  };
  return cmocka_run_group_tests_name("file_sink", tests, nullptr, nullptr);
}
