// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/system/byte_sink.h"

namespace cloudflaredump::system {

/// A capture file. Made (or emptied) at the first Write, so that a capture which fails before its
/// first byte leaves an older file as it was.
class FileSink : public ByteSink {
 public:
  /// `option` is what the file was named with; errors advise to give it another.
  explicit FileSink(std::string path, const char* option = "-w")
      : path_(std::move(path)), option_(option) {}
  ~FileSink() override;

  /// Whether the file can be made or emptied, without doing it: to be asked before a capture is
  /// started in vain.
  Result<void> Check();

  Result<void> Write(std::string_view bytes) override;
  Result<void> Close() override;

 private:
  std::unexpected<Error> Failed(const char* doing);

  std::string path_;
  const char* option_;
  int fd_ = -1;
  bool failed_ = false;
};

}  // namespace cloudflaredump::system
