// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/run_program.h"

#include <glib.h>
#include <unistd.h>

#include <csignal>

#include "common/text.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

Program Shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .limit = 30s};
}

void BothOutputsAndTheStatusAreKept(void**) {
  const ProgramEnd end = ValueOf(RunProgram(Shell("echo out; echo err >&2; exit 7"), kGoOn));
  assert_true(end.found);
  assert_int_equal(end.status, 7);
  AssertText(end.out, "out\n");
  AssertText(end.err, "err\n");
  assert_int_equal(ValueOf(RunProgram(Shell("kill -9 $$"), kGoOn)).status, 137);
}

void AProgramThatIsNotThereIsNoFault(void**) {
  const ProgramEnd end = ValueOf(RunProgram({.argv = {"cloudflaredump-no-such-program"}}, kGoOn));
  assert_false(end.found);
}

void ThereIsNoTerminalAndNoInput(void**) {
  const std::string script =
      "cat; (: < /dev/tty) 2>/dev/null && echo terminal; "
      "[ $(ps -o sid= -p $$) = $$ ] && echo own session";
  AssertText(ValueOf(RunProgram(Shell(script), kGoOn)).out, "own session\n");
}

void NoDescriptorOfOursIsOpenThere(void**) {
  const TempFolder folder;
  const std::string path = folder.Write("private", "planted");
  FILE* const file = fopen(path.c_str(), "r");
  const std::string script = Format("readlink /proc/$$/fd/%d; true", fileno(file));
  AssertText(ValueOf(RunProgram(Shell(script), kGoOn)).out, "");
  fclose(file);
}

void VariablesAreHiddenAndSet(void**) {
  g_setenv("CFD_TEST_SECRET", "planted", TRUE);
  g_setenv("CFD_TEST_OTHER", "stays", TRUE);
  Program program = Shell("echo $CFD_TEST_SECRET:$CFD_TEST_OTHER:$CFD_TEST_NEW");
  program.hides = [](const std::string& name, const std::string& value) {
    return name == "CFD_TEST_SECRET" && value == "planted";
  };
  program.variables = {{"CFD_TEST_NEW", "set"}};
  AssertText(ValueOf(RunProgram(program, kGoOn)).out, ":stays:set\n");
  AssertText(g_getenv("CFD_TEST_SECRET"), "planted");
}

/// A desktop's PATH may lack where installers put programs.
void InstallersFoldersAreSearchedLast(void**) {
  const TempFolder folder;
  folder.Write("tool", "#!/bin/sh\necho \"$PATH\"\n", 0755);
  const std::string before = g_getenv("PATH");
  g_setenv("PATH", (folder.path() + ":/usr/bin:/bin").c_str(), TRUE);
  const ProgramEnd end = ValueOf(RunProgram({.argv = {"tool"}}, kGoOn));
  g_setenv("PATH", before.c_str(), TRUE);
  AssertText(end.out,
             folder.path() + ":/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin:/snap/bin\n");
}

void AStopKillsItAndWhatItStarted(void**) {
  const TempFolder folder;
  Program program = Shell("sleep 600 & echo $! > " + folder / "pid" + "; wait");
  const auto started = [&] { return ReadFile(folder / "pid").ends_with('\n'); };
  AssertFails(RunProgram(program, started), Error::Kind::kInterrupted, "stopped");
  const auto pid = static_cast<pid_t>(*ParseNumber(Trim(ReadFile(folder / "pid"))));
  // It may still be there for a moment, and then as a zombie that nobody has waited for.
  const auto is_there = [pid] {
    const std::string state = ReadFile(Format("/proc/%d/stat", pid));
    return kill(pid, 0) == 0 && state.find(") Z ") == std::string::npos;
  };
  for (int i = 0; i < 1000 && is_there(); ++i) g_usleep(10'000);
  assert_false(is_there());
}

void TimeAndOutputAreBounded(void**) {
  Program slow = Shell("echo planted; sleep 600");
  slow.limit = 100ms;
  const Error late = ErrorOf(RunProgram(slow, kGoOn));
  assert_true(late.kind == Error::Kind::kPassing);
  AssertContains(SentenceOf(late), "sh did not end within");
  AssertLacks(SentenceOf(late), "planted");
  const Error loud = ErrorOf(RunProgram(Shell("yes planted"), kGoOn));
  AssertContains(SentenceOf(loud), "sh printed more than makes sense");
  AssertLacks(SentenceOf(loud), "planted");
  const Error errors = ErrorOf(RunProgram(Shell("yes planted >&2"), kGoOn));
  AssertContains(SentenceOf(errors), "printed more");
}

/// A program may leave another one behind that keeps its output open.
void ItsEndCountsNotThatOfItsOutput(void**) {
  const TempFolder folder;
  const std::string script = "echo keys; sleep 600 & echo $! > " + folder / "pid";
  AssertText(ValueOf(RunProgram(Shell(script), kGoOn)).out, "keys\n");
  kill(static_cast<pid_t>(*ParseNumber(Trim(ReadFile(folder / "pid")))), SIGKILL);
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(BothOutputsAndTheStatusAreKept),
      cmocka_unit_test(AProgramThatIsNotThereIsNoFault),
      cmocka_unit_test(ThereIsNoTerminalAndNoInput),
      cmocka_unit_test(NoDescriptorOfOursIsOpenThere),
      cmocka_unit_test(VariablesAreHiddenAndSet),
      cmocka_unit_test(InstallersFoldersAreSearchedLast),
      cmocka_unit_test(AStopKillsItAndWhatItStarted),
      cmocka_unit_test(TimeAndOutputAreBounded),
      cmocka_unit_test(ItsEndCountsNotThatOfItsOutput),
  };
  return cmocka_run_group_tests_name("child process", tests, nullptr, nullptr);
}
