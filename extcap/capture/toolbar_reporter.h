// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "extcap/capture/reporter.h"
#include "extcap/capture/toolbar_message.h"
#include "extcap/config/toolbar.h"
#include "extcap/system/control_pipes.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump::capture {

/// Tells how a capture is getting on in Wireshark's window: the toolbar's status text at most once
/// a second, its log, the status bar at each new state (every second it would hide what the user
/// selects), a box for each warning. Takes "Finish now"; that the window has gone is a stop.
/// Without a window it keeps the first warning, and does nothing else.
class ToolbarReporter : public Reporter {
 public:
  /// All three must outlive this object; the log is tapped as long as it lives, and the
  /// pipes are attached.
  ToolbarReporter(system::ControlPipes& pipes, system::EventLoop& loop, system::StopRequests& stop);
  ~ToolbarReporter() override;

  void Status(const std::string& state) override;
  void Warning(const std::string& sentence) override;
  /// The first warning that nobody has seen, as there is no window; empty if there is none.
  const std::string& unseen_warning() const { return unseen_warning_; }
  /// The last word, which is shown at once: the verdict, or why there is none.
  void End(const std::string& sentence);

 private:
  void Receive(std::string_view bytes);
  void Take(const ToolbarMessage& message);
  void Show();
  void Send(config::ToolbarControl control, ToolbarCommand command, std::string_view text);

  system::ControlPipes& pipes_;
  system::EventLoop& loop_;
  system::StopRequests& stop_;
  std::string received_;                ///< of a message that is not whole yet
  std::optional<std::string> pending_;  ///< a state that has not been shown yet
  std::string phase_;                   ///< the last shown state, without its numbers
  system::SteadyTime next_;             ///< no state is shown before
  system::EventLoop::Id timer_ = 0;
  unsigned warnings_ = 0;
  std::string unseen_warning_;
};

}  // namespace cloudflaredump::capture
