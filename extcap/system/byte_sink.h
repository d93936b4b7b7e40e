// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::system {

/// Where the pcapng stream goes. The real ones are FifoSink (a pipe with a reader that may stall or
/// go) and FileSink; tests have MemorySink (tests/unit/memory_sink.h).
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  /// Writes all of `bytes`, waiting for a slow reader while the loop's other work goes on.
  /// Error::kInterrupted if the reader has gone or a stop says "leave"; another Error (disk full)
  /// is a sentence for the user. After an Error every Write fails.
  virtual Result<void> Write(std::string_view bytes) = 0;

  /// Ends the stream: what Write took is with the reader or on the disk.
  virtual Result<void> Close() = 0;
};

}  // namespace cloudflaredump::system
