// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/log.h"

#include <unistd.h>

#include <vector>

#include "common/redact.h"
#include "common/text.h"
#include "common/time.h"
#include "extcap/system/private_file.h"
#include "tests/unit/full_disk.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

/// Runs `write` with a log of `level` and returns the file's content.
std::string Logged(LogLevel level, const std::function<void()>& write) {
  const TempFolder folder;
  AssertGood(OpenLog(level, folder / "log"));
  write();
  return ReadFile(folder / "log");
}

void OneOfEachLevel() {
  Log(LogLevel::kError, "is an error");
  Log(LogLevel::kWarning, "is a warning");
  Log(LogLevel::kInfo, "is information");
  Log(LogLevel::kDebug, "is detail");
}

void AClosedLogIsNoError(void**) {
  OneOfEachLevel();
}

void LevelsAreWiresharksNames(void**) {
  assert_true(ParseLogLevel("none") == LogLevel::kNone);
  assert_true(ParseLogLevel("critical") == LogLevel::kError);
  assert_true(ParseLogLevel("error") == LogLevel::kError);
  assert_true(ParseLogLevel("warning") == LogLevel::kWarning);
  assert_true(ParseLogLevel("message") == LogLevel::kInfo);
  assert_true(ParseLogLevel("info") == LogLevel::kInfo);
  assert_true(ParseLogLevel("debug") == LogLevel::kDebug);
  assert_true(ParseLogLevel("noisy") == LogLevel::kDebug);
  for (const char* bad : {"", "Error", "verbose", "info "}) {
    assert_false(ParseLogLevel(bad).has_value());
  }
}

void ALineHasTimeLevelAndText(void**) {
  const std::string line =
      Logged(LogLevel::kInfo, [] { Log(LogLevel::kWarning, "capture %s: %d of %d", "abc", 3, 4); });
  const auto pieces = Split(line, ' ');
  assert_true(pieces.size() > 2);
  assert_true(ParseRfc3339(pieces[0]).has_value());
  AssertText(line.substr(pieces[0].size()), " warning capture abc: 3 of 4\n");
}

void OnlyTheLevelAndWhatIsGraverIsWritten(void**) {
  const auto lines = [](LogLevel level) {
    const std::string text = Logged(level, OneOfEachLevel);
    return text.empty() ? 0 : static_cast<int>(Split(text, '\n').size()) - 1;
  };
  assert_int_equal(lines(LogLevel::kNone), 0);
  assert_int_equal(lines(LogLevel::kError), 1);
  assert_int_equal(lines(LogLevel::kWarning), 2);
  assert_int_equal(lines(LogLevel::kInfo), 3);
  assert_int_equal(lines(LogLevel::kDebug), 4);
}

void SecretsAndControlsStayOut(void**) {
  RegisterSecret("cfut_logged0123456789");
  const std::string text = Logged(LogLevel::kDebug, [] {
    Log(LogLevel::kInfo, "token cfut_logged0123456789\nforged line\x1b[31m");
  });
  AssertContains(text, "token [secret] forged line");
  AssertLacks(text, "cfut_logged");
  assert_int_equal(Split(text, '\n').size(), 2);
}

/// A secret that the cut of a long line would halve is recognised before the cut.
void ASecretAtTheCutStaysOut(void**) {
  RegisterSecret("cfut_halved0123456789");
  for (int before = 1980; before < 2005; ++before) {
    const std::string text = Logged(LogLevel::kInfo, [before] {
      const std::string padding(static_cast<std::size_t>(before), 'x');
      Log(LogLevel::kInfo, "%scfut_halved0123456789", padding.c_str());
    });
    AssertLacks(text, "cfut_");
  }
}

void AnotherRunAppends(void**) {
  const TempFolder folder;
  for (const char* text : {"first", "second"}) {
    AssertGood(OpenLog(LogLevel::kInfo, folder / "log"));
    Log(LogLevel::kInfo, "%s", text);
  }
  const std::string content = ReadFile(folder / "log");
  AssertContains(content, "first\n");
  AssertContains(content, "second\n");
  assert_int_equal(ModeOf(folder / "log"), 0600);
}

void AnUnwritableLogSaysWhatToDo(void**) {
  AssertFails(OpenLog(LogLevel::kInfo, "/nonexistent/log"), Error::Kind::kFinal,
              "cannot open the log file /nonexistent/log: No such file or directory; name "
              "another with the option log-file.");
  AssertFails(
      OpenLog(LogLevel::kInfo, "/dev/null"), Error::Kind::kFinal,
      "the log file /dev/null is not a regular file; name another with the option log-file.");
}

void AFullDiskIsNoError(void**) {
  const TempFolder folder;
  AssertGood(OpenLog(LogLevel::kDebug, folder / "log"));
  {
    const FullDisk full(0);
    OneOfEachLevel();
  }
  AssertText(ReadFile(folder / "log"), "");
}

void TheTapHearsWhatPeopleShouldSee(void**) {
  std::vector<std::string> heard;
  TapLog([&heard](const std::string& line) { heard.push_back(line); });
  const std::string text = Logged(LogLevel::kError, OneOfEachLevel);
  TapLog({});
  OneOfEachLevel();
  assert_int_equal(Split(text, '\n').size(), 2);
  assert_int_equal(heard.size(), 3);
  AssertContains(heard[2], " info is information\n");
}

void ADashIsStandardError(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("stderr", "");
  std::fflush(stderr);
  const int kept = dup(STDERR_FILENO);
  const int file = ValueOf(OpenPrivateForAppend("file", path));
  if (kept < 0) {
    fail_msg("no file to stand in for stderr");
    return;
  }
  dup2(file, STDERR_FILENO);
  const Result<void> opened = OpenLog(LogLevel::kInfo, "-");
  Log(LogLevel::kInfo, "to the terminal");
  dup2(kept, STDERR_FILENO);
  close(file);
  close(kept);
  AssertGood(opened);
  AssertContains(ReadFile(path), " info to the terminal\n");
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AClosedLogIsNoError),
      cmocka_unit_test(LevelsAreWiresharksNames),
      cmocka_unit_test(ALineHasTimeLevelAndText),
      cmocka_unit_test(OnlyTheLevelAndWhatIsGraverIsWritten),
      cmocka_unit_test(SecretsAndControlsStayOut),
      cmocka_unit_test(ASecretAtTheCutStaysOut),
      cmocka_unit_test(AnotherRunAppends),
      cmocka_unit_test(AnUnwritableLogSaysWhatToDo),
      cmocka_unit_test(AFullDiskIsNoError),
      cmocka_unit_test(TheTapHearsWhatPeopleShouldSee),
      cmocka_unit_test(ADashIsStandardError),
  };
  return cmocka_run_group_tests_name("log", tests, nullptr, nullptr);
}
