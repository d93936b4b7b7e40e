// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/text.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

void ANewFileIsForItsOwnerOnly(void**) {
  const TempFolder folder;
  const mode_t before = umask(0);
  const int fd = ValueOf(OpenPrivateForAppend("log file", folder / "log"));
  close(fd);
  AssertGood(ReplacePrivateFile(folder / "state", "x"));
  umask(before);
  assert_int_equal(ModeOf(folder / "log"), 0600);
  assert_int_equal(ModeOf(folder / "state"), 0600);
}

void AppendingKeepsWhatIsThere(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("log", "old\n");
  const int fd = ValueOf(OpenPrivateForAppend("log file", path));
  assert_int_equal(write(fd, "new\n", 4), 4);
  close(fd);
  AssertText(ReadFile(path), "old\nnew\n");
}

void AssertNoLog(const std::string& path, const std::string& why) {
  AssertFails(OpenPrivateForAppend("log file", path), Error::Kind::kFinal, why);
}

void ALinkIsNotFollowed(void**) {
  const TempFolder folder;
  const std::string victim = folder.Write("victim", "precious");
  assert_int_equal(symlink(victim.c_str(), (folder / "log").c_str()), 0);
  AssertNoLog(folder / "log", "the log file " + (folder / "log") + " is a symbolic link");
  AssertText(ReadFile(victim), "precious");
}

/// With and without a reader: opening a FIFO would otherwise wait, or give the log to the reader.
void AFifoOrDeviceIsRefusedAtOnce(void**) {
  const TempFolder folder;
  const std::string fifo = folder / "fifo";
  assert_int_equal(mkfifo(fifo.c_str(), 0600), 0);
  AssertNoLog(fifo, "the log file " + fifo + " is not a regular file");
  AssertFails(ReadRegularFile("configuration file", fifo), Error::Kind::kFinal,
              "the configuration file " + fifo + " is not a regular file");
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  AssertNoLog(fifo, "is not a regular file");
  close(reader);
  for (const char* device : {"/dev/null", "/dev/full"}) {
    AssertNoLog(device, "is not a regular file");
    AssertFails(ReadRegularFile("file", device), Error::Kind::kFinal, "is not a regular file");
  }
  AssertFails(ReadRegularFile("file", folder.path()), Error::Kind::kFinal, "is not a regular file");
}

void ALogThatOthersCanWriteIsRefused(void**) {
  const TempFolder folder;
  for (const mode_t mode : {0660U, 0602U, 0666U}) {
    const std::string path = folder.Write("it's", "", mode);
    AssertNoLog(
        path, "others can write to the log file " + path + "; run: chmod 600 " + ShellQuote(path));
    unlink(path.c_str());
  }
}

void ALogThatOthersCanReadBecomesPrivate(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("log", "old\n", 0644);
  close(ValueOf(OpenPrivateForAppend("log file", path)));
  assert_int_equal(ModeOf(path), 0600);
  AssertText(ReadFile(path), "old\n");
}

void OnlyOurFilesAndRootsAreTrusted(void**) {
  const auto check = [](uid_t owner, unsigned mode) {
    return CheckTrusted("configuration file", "/x y", owner, mode);
  };
  for (const unsigned mode : {0600U, 0644U, 0444U, 0100755U}) {
    AssertGood(check(geteuid(), mode));
    AssertGood(check(0, mode));
    AssertFails(check(geteuid() + 1, mode), Error::Kind::kFinal,
                "the configuration file /x y belongs to another user; use a file of your own.");
  }
  for (const unsigned mode : {0620U, 0602U, 0100666U}) {
    AssertFails(check(geteuid(), mode), Error::Kind::kFinal,
                "others can write to the configuration file /x y; run: chmod 600 '/x y'.");
  }
}

void AFileIsReadWholeWithItsModeAndOwner(void**) {
  const TempFolder folder;
  assert_false(ValueOf(ReadRegularFile("file", folder / "none")).has_value());
  assert_false(ValueOf(ReadRegularFile("file", folder.Write("x", "") + "/none")).has_value());
  const std::string bytes(10000, '\0');
  const auto read = ValueOf(ReadRegularFile("file", folder.Write("big", bytes, 0640)));
  AssertText(read.value().bytes, bytes);
  assert_int_equal(read->mode & 0777, 0640);
  assert_int_equal(read->owner, geteuid());
  const std::string huge(std::size_t{1} << 20, 'x');
  assert_true(ValueOf(ReadRegularFile("file", folder.Write("huge", huge))).has_value());
  AssertFails(ReadRegularFile("file", folder.Write("huge", huge + "x")), Error::Kind::kFinal,
              "is larger than 1 MiB");
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
      cmocka_unit_test(AFifoOrDeviceIsRefusedAtOnce),
      cmocka_unit_test(ALogThatOthersCanWriteIsRefused),
      cmocka_unit_test(ALogThatOthersCanReadBecomesPrivate),
      cmocka_unit_test(OnlyOurFilesAndRootsAreTrusted),
      cmocka_unit_test(AFileIsReadWholeWithItsModeAndOwner),
      cmocka_unit_test(OthersMayReadLooksAtGroupAndOthers),
      cmocka_unit_test(ReplacingMakesFoldersForItsOwnerOnly),
      cmocka_unit_test(ReplacingLeavesOnlyTheNewContent),
      cmocka_unit_test(ReplacingALinkLeavesItsTarget),
      cmocka_unit_test(AFailedReplacementLeavesTheOldAndNoLitter),
      cmocka_unit_test(AFolderThatCannotBeIsAnError),
  };
  return cmocka_run_group_tests_name("private_file", tests, nullptr, nullptr);
}
