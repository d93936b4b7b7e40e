// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/toolbar_reporter.h"

#include <utility>

#include "common/text.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// People read no faster; real time.
constexpr auto kBetweenStates = 1s;

/// Each is a box that has to be clicked away; the log has all of them.
constexpr unsigned kMostWarnings = 5;

/// The toolbar's field shows the end of a text that is longer than itself, and about so many bytes
/// fit in a window of 1,280 pixels; the status bar and the log have all of the last one.
constexpr std::size_t kFieldText = 90;

/// One message must stay below PIPE_BUF.
constexpr std::size_t kLongestText = 3000;

}  // namespace

ToolbarReporter::ToolbarReporter(system::ControlPipes& pipes, system::EventLoop& loop,
                                 system::StopRequests& stop)
    : pipes_(pipes), loop_(loop), stop_(stop), next_(loop.Steady()) {
  if (!pipes_.opened()) return;
  // A window that was killed sends no signal, and its dumpcap goes on reading.
  pipes_.Attach(
      loop, [this](std::string_view bytes) { Receive(bytes); }, [this] { stop_.Request(); });
  // An older capture's lines go. The status stays enabled: disabled, it is too pale to read.
  Send(config::ToolbarControl::kLog, ToolbarCommand::kSet, "");
  Send(config::ToolbarControl::kStatus, ToolbarCommand::kSet, "starting");
  system::TapLog([this](const std::string& line) {
    Send(config::ToolbarControl::kLog, ToolbarCommand::kAdd, line);
  });
}

ToolbarReporter::~ToolbarReporter() {
  system::TapLog({});
  loop_.Cancel(timer_);
  pipes_.Detach();
}

void ToolbarReporter::Status(const std::string& state) {
  if (!pipes_.opened()) return;
  pending_ = state;
  if (timer_ != 0) return;
  if (loop_.Steady() >= next_) return Show();
  timer_ = loop_.CallAt(next_, [this] {
    timer_ = 0;
    Show();
  });
}

void ToolbarReporter::Show() {
  if (!pending_) return;
  const std::string state = *std::exchange(pending_, std::nullopt);
  Send(config::ToolbarControl::kStatus, ToolbarCommand::kSet, state);
  if (std::string phase = WithoutNumbers(state); phase != phase_) {
    phase_ = std::move(phase);
    Send(config::ToolbarControl::kStatus, ToolbarCommand::kStatusBar, state);
  }
  next_ = loop_.Steady() + loop_.FromReal(kBetweenStates);
}

void ToolbarReporter::Warning(const std::string& sentence) {
  if (!pipes_.opened()) {
    if (unseen_warning_.empty()) unseen_warning_ = sentence;
    return;
  }
  if (++warnings_ <= kMostWarnings) {
    Send(config::ToolbarControl::kStatus, ToolbarCommand::kWarning, sentence);
  }
}

void ToolbarReporter::End(const std::string& sentence) {
  if (!pipes_.opened()) return;
  loop_.Cancel(std::exchange(timer_, 0));
  pending_.reset();
  if (!sentence.empty()) {
    Send(config::ToolbarControl::kStatus, ToolbarCommand::kSet, CleanLine(sentence, kFieldText));
    Send(config::ToolbarControl::kStatus, ToolbarCommand::kStatusBar, sentence);
  }
  pipes_.Flush(1s);
}

void ToolbarReporter::Send(config::ToolbarControl control, ToolbarCommand command,
                           std::string_view text) {
  // The log's lines are cleaned already, and end as they must.
  const bool line = text.ends_with('\n');
  std::string shown = CleanLine(std::string(text), kLongestText);
  if (line) shown += '\n';
  // What is dropped is dropped: a window that does not read must not hold a capture up.
  pipes_.Send(WriteToolbarMessage({.control = static_cast<std::uint8_t>(control),
                                   .command = static_cast<std::uint8_t>(command),
                                   .payload = std::move(shown)}));
}

void ToolbarReporter::Receive(std::string_view bytes) {
  received_ += bytes;
  for (;;) {
    const ToolbarRead read = ReadToolbarMessage(received_);
    received_.erase(0, read.used);
    if (!read.message) return;
    Take(*read.message);
  }
}

void ToolbarReporter::Take(const ToolbarMessage& message) {
  const bool finish =
      message.control == static_cast<std::uint8_t>(config::ToolbarControl::kFinish) &&
      message.command == static_cast<std::uint8_t>(ToolbarCommand::kSet);
  if (!finish || stop_.AtLeast(system::StopLevel::kStop)) return;
  system::Log(system::LogLevel::kInfo, "Finish now was pressed");
  Send(config::ToolbarControl::kFinish, ToolbarCommand::kSet, "Finishing");
  Send(config::ToolbarControl::kFinish, ToolbarCommand::kDisable, "");
  stop_.Finish();
}

}  // namespace cloudflaredump::capture
