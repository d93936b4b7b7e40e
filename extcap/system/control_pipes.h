// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "extcap/system/event_loop.h"

namespace cloudflaredump::system {

/// The two pipes between an extcap and Wireshark's toolbar (--extcap-control-in, which we read, and
/// --extcap-control-out, which we write). Wireshark's window passes them, tshark never does.
///
/// Wireshark's window opens its end of control-in in its main thread and stands still until the
/// other end is open (interface_toolbar.cpp, tried on 4.0, 4.4 and 4.6). So the constructor opens
/// ours, at once and without waiting, and it stays open as long as this object lives.
class ControlPipes {
 public:
  /// Empty paths, and paths that are no FIFOs, give an object that does nothing.
  ControlPipes(const std::string& in, std::string out);
  ControlPipes(const ControlPipes&) = delete;
  ControlPipes& operator=(const ControlPipes&) = delete;
  ~ControlPipes();

  /// Whether there is a window at the other end, or may soon be.
  bool opened() const { return in_ >= 0; }

  /// Blocks, for at most `wait` of real time, until Wireshark has its end of control-in open. To be
  /// called before this process may end: afterwards no end of ours can make the window stand still.
  void AwaitPartner(std::chrono::milliseconds wait) const;

  /// From now on `loop` carries messages: `receive` gets the bytes that Wireshark writes, as they
  /// come; `hung_up` is called once when Wireshark has closed its end of control-in, which it does
  /// at the end of a capture, or when it dies. Until Detach `loop` must live.
  void Attach(EventLoop& loop, std::function<void(std::string_view)> receive,
              std::function<void()> hung_up);

  /// No messages any more; what waits is dropped. Our end stays open.
  void Detach();

  /// Sends `message`, at most PIPE_BUF bytes (a longer one is refused: it could go in halves).
  /// Never blocks: messages wait for a window that does not read, and once 256 KiB wait, new ones
  /// are dropped. Needs Attach. Returns false if the message was dropped.
  bool Send(std::string message);

  /// Lets the loop run until all was sent, or the window has gone, for at most `wait` of real time.
  void Flush(std::chrono::milliseconds wait);

 private:
  void Read();
  void Write();
  void WriteLater();
  void OpenOut();
  void CloseOut();

  std::string out_path_;
  int in_ = -1;
  int out_ = -1;
  bool out_gone_ = false;  ///< there is no one to write to, and will not be
  EventLoop* loop_ = nullptr;
  std::function<void(std::string_view)> receive_;
  std::function<void()> hung_up_;
  EventLoop::Id in_watch_ = 0;
  EventLoop::Id out_watch_ = 0;
  EventLoop::Id out_timer_ = 0;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace cloudflaredump::system
