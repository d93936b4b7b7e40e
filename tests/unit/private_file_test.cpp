// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

void ANewFileIsForItsOwnerOnly(void**) {
  const TempFolder folder;
  const mode_t before = umask(0);
  const int fd = OpenPrivateForAppend(folder / "log");
  assert_true(fd >= 0);
  close(fd);
  AssertGood(ReplacePrivateFile(folder / "state", "x"));
  umask(before);
  assert_int_equal(ModeOf(folder / "log"), 0600);
  assert_int_equal(ModeOf(folder / "state"), 0600);
}

void AppendingKeepsWhatIsThere(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("log", "old\n");
  const int fd = OpenPrivateForAppend(path);
  assert_int_equal(write(fd, "new\n", 4), 4);
  close(fd);
  AssertText(ReadFile(path), "old\nnew\n");
}

void ALinkIsNotFollowed(void**) {
  const TempFolder folder;
  const std::string victim = folder.Write("victim", "precious");
  assert_int_equal(symlink(victim.c_str(), (folder / "log").c_str()), 0);
  assert_int_equal(OpenPrivateForAppend(folder / "log"), -1);
  assert_int_equal(errno, ELOOP);
  AssertText(ReadFile(victim), "precious");
}

void OthersMayReadLooksAtGroupAndOthers(void**) {
  for (const unsigned mode : {0600U, 0700U, 0400U, 0622U, 0611U}) assert_false(OthersMayRead(mode));
  for (const unsigned mode : {0640U, 0604U, 0644U, 0777U}) assert_true(OthersMayRead(mode));
}

void ReplacingMakesFoldersForItsOwnerOnly(void**) {
  const TempFolder folder;
  AssertGood(ReplacePrivateFile(folder / "a/b/state", "content"));
  AssertText(ReadFile(folder / "a/b/state"), "content");
  assert_int_equal(ModeOf(folder / "a"), 0700);
  assert_int_equal(ModeOf(folder / "a/b"), 0700);
}

void ReplacingLeavesOnlyTheNewContent(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("state", "a longer content than the new one", 0644);
  AssertGood(ReplacePrivateFile(path, "new"));
  AssertText(ReadFile(path), "new");
  assert_int_equal(ModeOf(path), 0600);
  AssertGood(ReplacePrivateFile(path, ""));
  AssertText(ReadFile(path), "");
  assert_int_equal(folder.Count(), 1);
}

void ReplacingALinkLeavesItsTarget(void**) {
  const TempFolder folder;
  const std::string victim = folder.Write("victim", "precious");
  assert_int_equal(symlink(victim.c_str(), (folder / "state").c_str()), 0);
  AssertGood(ReplacePrivateFile(folder / "state", "mine"));
  AssertText(ReadFile(victim), "precious");
  AssertText(ReadFile(folder / "state"), "mine");
}

void AFailedReplacementLeavesTheOldAndNoLitter(void**) {
  const TempFolder folder;
  folder.Write("state/old", "old");
  AssertFails(ReplacePrivateFile(folder / "state", "new"), Error::Kind::kFinal,
              "cannot write " + (folder / "state"));
  AssertText(ReadFile(folder / "state/old"), "old");
  assert_int_equal(folder.Count(), 1);
}

void AFolderThatCannotBeIsAnError(void**) {
  const TempFolder folder;
  folder.Write("file", "no folder");
  AssertFails(ReplacePrivateFile(folder / "file/state", "x"), Error::Kind::kFinal, "cannot write");
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANewFileIsForItsOwnerOnly),
      cmocka_unit_test(AppendingKeepsWhatIsThere),
      cmocka_unit_test(ALinkIsNotFollowed),
      cmocka_unit_test(OthersMayReadLooksAtGroupAndOthers),
      cmocka_unit_test(ReplacingMakesFoldersForItsOwnerOnly),
      cmocka_unit_test(ReplacingLeavesOnlyTheNewContent),
      cmocka_unit_test(ReplacingALinkLeavesItsTarget),
      cmocka_unit_test(AFailedReplacementLeavesTheOldAndNoLitter),
      cmocka_unit_test(AFolderThatCannotBeIsAnError),
  };
  return cmocka_run_group_tests_name("private_file", tests, nullptr, nullptr);
}
