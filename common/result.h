// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace cloudflaredump {

/// Why something could not be done, as data. All texts are cleaned of control characters, are
/// written in lower case but for names, and have no period at the end; SentenceOf joins them.
struct Error {
  enum class Kind {
    kFinal,        ///< Trying again will not help.
    kPassing,      ///< A later try may succeed: a network fault, 429, 5xx.
    kUsage,        ///< The user asked for something that cannot be meant (exit status 2).
    kInterrupted,  ///< A stop was asked for; nothing is wrong.
  };
  std::string what;         ///< a clause: what happened
  std::string remedy = {};  ///< a clause: what to do; may be empty
  Kind kind = Kind::kFinal;
  std::string said = {};  ///< the words of a server, a child process or a library; may be empty
};

/// A value, or why there is none.
template <class T>
using Result = std::expected<T, Error>;

/// The one sentence that a person reads: what, the words that were heard, what to do, a period.
std::string SentenceOf(const Error& error);

/// The same without the remedy and the period, to stand inside another sentence.
std::string ClauseOf(const Error& error);

/// `return Fail("…");` in a function that returns a Result.
inline std::unexpected<Error> Fail(std::string what, Error::Kind kind = Error::Kind::kFinal) {
  return std::unexpected(Error{.what = std::move(what), .kind = kind});
}
inline std::unexpected<Error> Fail(std::string what, std::string remedy,
                                   Error::Kind kind = Error::Kind::kFinal) {
  return std::unexpected(Error{.what = std::move(what), .remedy = std::move(remedy), .kind = kind});
}

/// What a wait returns that a stop has ended.
inline std::unexpected<Error> Stopped() {
  return Fail("stopped", Error::Kind::kInterrupted);
}

/// `if (!result) return Failure(result);` hands the Error of one Result on as another.
template <class T>
std::unexpected<Error> Failure(const Result<T>& result) {
  return std::unexpected(result.error());
}

}  // namespace cloudflaredump
