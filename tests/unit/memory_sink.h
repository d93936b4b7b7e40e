// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "extcap/system/byte_sink.h"

namespace cloudflaredump {

/// A ByteSink that keeps what it is given.
class MemorySink : public system::ByteSink {
 public:
  Result<void> Write(std::string_view piece) override {
    if (room && bytes.size() + piece.size() > *room) {
      bytes.append(piece.substr(0, *room - bytes.size()));
      room = bytes.size();
      return std::unexpected(error);
    }
    bytes += piece;
    ++writes;
    return {};
  }

  Result<void> Close() override {
    closed = true;
    return {};
  }

  std::string bytes;
  int writes = 0;
  bool closed = false;
  /// After so many bytes every Write fails with `error`.
  std::optional<std::size_t> room;
  Error error{"cannot write out.pcapng: No space left on device; give another file with -w."};
};

}  // namespace cloudflaredump
