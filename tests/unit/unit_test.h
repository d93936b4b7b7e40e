// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

// clang-format off: cmocka.h wants these before it, and does not say so to a C++ compiler; its macro
// `fail` would break the declaration of std::ios::fail after it.
#include <fstream>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
extern "C" {
#include <cmocka.h>
}
// clang-format on
#undef stop  // CMocka 2 has it as a macro; here it is a good name.

#include <string>
#include <string_view>

namespace cloudflaredump {

/// assert_string_equal for std::string, with both texts in the failure.
inline void AssertText(std::string_view got, std::string_view want) {
  assert_string_equal(std::string(got).c_str(), std::string(want).c_str());
}

/// Fails the test unless `text` contains `piece`, showing the text.
inline void AssertContains(std::string_view text, std::string_view piece) {
  if (text.find(piece) == std::string_view::npos) {
    fail_msg("\"%s\" does not contain \"%s\"", std::string(text).c_str(),
             std::string(piece).c_str());
  }
}

}  // namespace cloudflaredump
