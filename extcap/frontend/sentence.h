// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::frontend {

/// One line of an extcap's output for Wireshark: `arg {number=0}{call=--x}`. Source:
/// extcap_parser.c, which has no escaping: a value must contain neither a line break nor `}` before
/// `{`, a blank or the end of the line, and the line must be UTF-8. CleanLine ensures all of it.
class Sentence {
 public:
  /// `kind`: interface, dlt, arg, value, control, extcap.
  explicit Sentence(std::string_view kind) : line_(kind) { line_ += ' '; }

  Sentence& With(std::string_view key, std::string_view value);
  Sentence& With(std::string_view key, std::uint64_t value) {
    return With(key, std::to_string(value));
  }
  /// Leaves the key out if `value` is empty.
  Sentence& WithIfAny(std::string_view key, std::string_view value) {
    return value.empty() ? *this : With(key, value);
  }

  const std::string& line() const { return line_; }
  /// Prints the sentence on stdout.
  void Print() const;

 private:
  std::string line_;
};

/// Ends an extcap call that failed: prints its Error as the one line on stderr that Wireshark
/// shows, well below the 1,024 bytes that dumpcap reads in all. Returns the exit status, 1.
int FailExtcapCall(const Error& error);

}  // namespace cloudflaredump::frontend
