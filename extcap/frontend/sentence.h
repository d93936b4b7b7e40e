// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::frontend {

/// One line of what an extcap says to Wireshark: `arg {number=0}{call=--x}`. Source:
/// extcap_parser.c, which has no escaping: a value must hold neither `}` before `{`, a blank or the
/// line's end, nor a line break, and the line must be UTF-8. CleanLine takes care of all.
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
  /// The sentence on stdout.
  void Print() const;

 private:
  std::string line_;
};

/// Ends an extcap call that failed: its Error as the one line on stderr that Wireshark shows, well
/// below the 1,024 bytes that dumpcap's reader takes in all. Returns the exit status, 1.
int FailExtcapCall(const Error& error);

}  // namespace cloudflaredump::frontend
