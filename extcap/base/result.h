// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace cloudflaredump {

/// Why something could not be done. `message` is a whole sentence for the user (what, why, what to
/// do), without a trailing newline, cleaned of control characters and free of secrets.
struct Error {
  enum class Kind {
    kFinal,        ///< Trying again will not help.
    kTransient,    ///< A later try may succeed: a network fault, 429, 5xx.
    kUsage,        ///< The user asked for something that cannot be meant (exit status 2).
    kInterrupted,  ///< A stop was asked for; nothing is wrong.
  };
  std::string message;
  Kind kind = Kind::kFinal;
};

/// A value, or the Error that a person will read.
template <class T>
using Result = std::expected<T, Error>;

/// `return Fail("…");` in a function that returns a Result.
inline std::unexpected<Error> Fail(std::string message, Error::Kind kind = Error::Kind::kFinal) {
  return std::unexpected(Error{std::move(message), kind});
}

}  // namespace cloudflaredump
