// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/toolbar_reporter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "common/redact.h"
#include "extcap/system/glib_event_loop.h"
#include "extcap/system/log.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// Wireshark's window: both pipes, opened as it opens them.
class Window {
 public:
  explicit Window(double speed = 1) : loop(speed) {
    for (const std::string& path : {in, out}) assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  }
  ~Window() { Close(); }

  void Open() {
    from_extcap_ = open(out.c_str(), O_RDONLY | O_NONBLOCK);
    to_extcap_ = open(in.c_str(), O_WRONLY | O_NONBLOCK);
    assert_true(from_extcap_ >= 0 && to_extcap_ >= 0);
    Write(std::string("T\0\0\2\0\0", 6));
  }
  void Close() {
    if (from_extcap_ >= 0) close(from_extcap_);
    if (to_extcap_ >= 0) close(to_extcap_);
    from_extcap_ = to_extcap_ = -1;
  }
  void Write(const std::string& bytes) const {
    assert_int_equal(write(to_extcap_, bytes.data(), bytes.size()), bytes.size());
  }
  void Press(config::ToolbarControl control) const {
    Write(WriteToolbarMessage({.control = static_cast<std::uint8_t>(control),
                               .command = static_cast<std::uint8_t>(ToolbarCommand::kSet),
                               .payload = ""}));
  }
  void Run(Duration span) {
    loop.RunUntil([] { return false; }, loop.Steady() + span);
  }

  /// All payloads of one command that have come so far, of any control.
  std::vector<std::string> Got(ToolbarCommand command, int control = -1) {
    char bytes[65536];
    for (ssize_t n = 0; (n = read(from_extcap_, bytes, sizeof bytes)) > 0;) {
      stream_.append(bytes, static_cast<std::size_t>(n));
    }
    std::vector<std::string> payloads;
    for (std::string_view rest = stream_;;) {
      const ToolbarRead one = ReadToolbarMessage(rest);
      if (!one.message) return payloads;
      rest.remove_prefix(one.used);
      if (one.message->command != static_cast<std::uint8_t>(command)) continue;
      if (control >= 0 && one.message->control != control) continue;
      payloads.push_back(one.message->payload);
    }
  }
  std::vector<std::string> States() { return Got(ToolbarCommand::kSet, 0); }

  TempFolder folder;
  std::string in = folder / "control-in";
  std::string out = folder / "control-out";
  system::GlibEventLoop loop;
  system::StopRequests stop{loop};

 private:
  int from_extcap_ = -1;
  int to_extcap_ = -1;
  std::string stream_;
};

void TheLastStateOfASecondIsShown(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  reporter.Status("pending, 1 s");
  for (int n = 2; n < 100; ++n) reporter.Status("pending, " + std::to_string(n) + " s");
  window.Run(200ms);
  assert_true(window.States() == (std::vector<std::string>{"starting", "pending, 1 s"}));
  window.Run(1s);
  assert_true(window.States() ==
              (std::vector<std::string>{"starting", "pending, 1 s", "pending, 99 s"}));
}

/// In the status bar a message hides what the user has selected: once for each kind of state.
void TheStatusBarHearsOfNewKindsOfStateOnly(void**) {
  Window window(100);
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  for (const char* state : {"pending, 1 s", "pending, 2 s", "running, 1,234 packets, 3:10 left",
                            "running, 12 packets, 0:05 left"}) {
    reporter.Status(state);
    window.Run(110s);
  }
  assert_true(window.Got(ToolbarCommand::kStatusBar) ==
              (std::vector<std::string>{"pending, 1 s", "running, 1,234 packets, 3:10 left"}));
}

void WarningsAreBoxesAndNotTooMany(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  for (int n = 0; n < 20; ++n) reporter.Warning("Mind this.");
  assert_int_equal(window.Got(ToolbarCommand::kWarning).size(), 5);
}

void TheLogIsAppendedToAndHoldsNoSecret(void**) {
  RegisterSecret("planted-secret");
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  {
    ToolbarReporter reporter(pipes, window.loop, window.stop);
    system::Log(system::LogLevel::kInfo, "asked with planted-secret");
    system::Log(system::LogLevel::kDebug, "not this");
  }
  system::Log(system::LogLevel::kInfo, "nor this");
  const auto lines =
      window.Got(ToolbarCommand::kAdd, static_cast<int>(config::ToolbarControl::kLog));
  assert_int_equal(lines.size(), 1);
  AssertContains(lines[0], "asked with [secret]\n");
}

void FinishNowStopsAndSaysSo(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  window.Press(config::ToolbarControl::kStatus);
  window.Press(config::ToolbarControl::kHelp);
  window.Run(50ms);
  assert_false(window.stop.Stopping()());
  for (int n = 0; n < 3; ++n) window.Press(config::ToolbarControl::kFinish);
  assert_true(window.loop.RunUntil(window.stop.Stopping(), window.loop.Steady() + 5s));
  assert_true(window.stop.finishing());
  window.Run(50ms);
  assert_int_equal(
      window.Got(ToolbarCommand::kDisable, static_cast<int>(config::ToolbarControl::kFinish))
          .size(),
      1);
}

void GarbageIsBorne(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  window.Write(std::string(60000, 'x') + "T" + std::string("\xff\xff\xff\1\1", 5));
  window.Run(100ms);
  assert_false(window.stop.Stopping()());
  window.Press(config::ToolbarControl::kFinish);
  assert_true(window.loop.RunUntil(window.stop.Stopping(), window.loop.Steady() + 5s));
}

/// A window that hangs, or is busy with a box: nothing of ours waits for it.
void AWindowThatDoesNotReadHoldsNothingUp(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  for (int n = 0; n < 2000; ++n)
    system::Log(system::LogLevel::kInfo, "%s", std::string(1500, 'x').c_str());
  const auto before = std::chrono::steady_clock::now();
  reporter.End("Complete: 1 packet.");
  assert_true(std::chrono::steady_clock::now() - before < 5s);
}

void TheEndIsShownAtOnce(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  reporter.Status("running, 1 s");
  reporter.Status("running, 2 s");
  reporter.End("Complete: 7 packets.");
  AssertText(window.States().back(), "Complete: 7 packets.");
  AssertText(window.Got(ToolbarCommand::kStatusBar).back(), "Complete: 7 packets.");
}

/// The toolbar's field shows the end of what is too long for it: the beginning is what counts.
void ALongVerdictIsCutInTheFieldOnly(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  const std::string verdict = "Incomplete: " + std::string(300, 'x') + ".";
  reporter.End(verdict);
  assert_true(window.States().back().starts_with("Incomplete: xxx"));
  assert_true(window.States().back().size() <= 90);
  AssertText(window.Got(ToolbarCommand::kStatusBar).back(), verdict.c_str());
}

/// Wireshark opens its ends when it comes to it.
void WhatWasSaidBeforeTheWindowOpenedIsShownThen(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  reporter.Status("pending, 1 s");
  window.Run(120ms);
  window.Open();
  window.Run(120ms);
  AssertText(window.States().back(), "pending, 1 s");
}

/// Killed, say, which sends us no signal.
void AWindowThatHasGoneIsAStop(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  window.Run(20ms);
  window.Close();
  for (int n = 0; n < 10; ++n) reporter.Warning("Mind this.");
  window.Run(50ms);
  reporter.End("Complete: 7 packets.");
  assert_true(window.stop.Stopping()());
  assert_false(window.stop.Leaving()());
}

/// After Finish now, too: nobody is left who waits for all of it.
void AWindowThatHasGoneAfterFinishNowIsAStop(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  const ToolbarReporter reporter(pipes, window.loop, window.stop);
  window.Press(config::ToolbarControl::kFinish);
  assert_true(window.loop.RunUntil(window.stop.Stopping(), window.loop.Steady() + 5s));
  assert_false(window.stop.StoppingSoon()());
  window.Close();
  assert_true(window.loop.RunUntil(window.stop.StoppingSoon(), window.loop.Steady() + 5s));
  assert_false(window.stop.Leaving()());
}

void WithoutAToolbarNothingHappens(void**) {
  Window window;
  system::ControlPipes pipes("", "");
  assert_false(pipes.opened());
  pipes.AwaitPartner(1h);
  ToolbarReporter reporter(pipes, window.loop, window.stop);
  reporter.Status("pending");
  reporter.Warning("Mind this.");
  reporter.End("Complete.");
  const system::ControlPipes no_fifo(window.folder.path(), window.folder.path());
  assert_false(no_fifo.opened());
}

void ThePartnerIsAwaitedForAWhile(void**) {
  Window window;
  const system::ControlPipes pipes(window.in, window.out);
  auto before = std::chrono::steady_clock::now();
  pipes.AwaitPartner(100ms);
  assert_true(std::chrono::steady_clock::now() - before >= 100ms);
  window.Open();
  before = std::chrono::steady_clock::now();
  pipes.AwaitPartner(1h);
  assert_true(std::chrono::steady_clock::now() - before < 1min);
}

void AMessageThatCouldGoInHalvesIsRefused(void**) {
  Window window;
  system::ControlPipes pipes(window.in, window.out);
  window.Open();
  pipes.Attach(window.loop, [](std::string_view) {}, [] {});
  assert_false(pipes.Send(std::string(5000, 'x')));
  assert_true(pipes.Send("x"));
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheLastStateOfASecondIsShown),
      cmocka_unit_test(TheStatusBarHearsOfNewKindsOfStateOnly),
      cmocka_unit_test(WarningsAreBoxesAndNotTooMany),
      cmocka_unit_test(TheLogIsAppendedToAndHoldsNoSecret),
      cmocka_unit_test(FinishNowStopsAndSaysSo),
      cmocka_unit_test(GarbageIsBorne),
      cmocka_unit_test(AWindowThatDoesNotReadHoldsNothingUp),
      cmocka_unit_test(TheEndIsShownAtOnce),
      cmocka_unit_test(ALongVerdictIsCutInTheFieldOnly),
      cmocka_unit_test(WhatWasSaidBeforeTheWindowOpenedIsShownThen),
      cmocka_unit_test(AWindowThatHasGoneIsAStop),
      cmocka_unit_test(AWindowThatHasGoneAfterFinishNowIsAStop),
      cmocka_unit_test(WithoutAToolbarNothingHappens),
      cmocka_unit_test(ThePartnerIsAwaitedForAWhile),
      cmocka_unit_test(AMessageThatCouldGoInHalvesIsRefused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
