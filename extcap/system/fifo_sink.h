// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "extcap/system/byte_sink.h"
#include "extcap/system/event_loop.h"
#include "extcap/system/stop_requests.h"

namespace cloudflaredump::system {

/// A pipe to Wireshark, dumpcap or whoever reads our standard output. Notices at any time, also
/// between writes, that the reader has gone, and tells StopRequests.
class FifoSink : public ByteSink {
 public:
  /// Opens the FIFO at `path` for writing: waits until a reader has it open, or a stop. Wireshark
  /// 4.0 waits forever for an extcap that ends without having done this, so it comes first on
  /// every path.
  static Result<std::unique_ptr<FifoSink>> Open(const std::string& path, EventLoop& loop,
                                                StopRequests& stop);

  /// Takes over `fd` (standard output, say), which is closed in the end.
  FifoSink(int fd, EventLoop& loop, StopRequests& stop);
  ~FifoSink() override;

  Result<void> Write(std::string_view bytes) override;
  Result<void> Close() override;

 private:
  /// Gives the descriptor back as it was, and closes it: what close says.
  int LetGo();

  EventLoop& loop_;
  StopRequests& stop_;
  int fd_;
  int flags_ = -1;  ///< of a pipe, as it was given; -1 for what is none
  EventLoop::Id watch_ = 0;
};

}  // namespace cloudflaredump::system
