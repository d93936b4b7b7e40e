// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <utility>

#include "common/result.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {

/// Fails the test with the Error's sentence unless `result` is good.
template <class T>
void AssertGood(const Result<T>& result) {
  if (!result) fail_msg("%s", SentenceOf(result.error()).c_str());
}

/// The value of `result`, which must have one.
template <class T>
T ValueOf(Result<T> result) {
  AssertGood(result);
  return *std::move(result);
}

/// The Error of `result`, which must be one.
template <class T>
Error ErrorOf(const Result<T>& result) {
  if (result) fail_msg("an Error was due");
  return result.error();
}

/// Fails the test unless `result` is an Error of `kind` whose sentence contains `piece`.
template <class T>
void AssertFails(const Result<T>& result, Error::Kind kind, std::string_view piece) {
  const Error error = ErrorOf(result);
  AssertContains(SentenceOf(error), piece);
  if (error.kind != kind) fail_msg("\"%s\" is of another kind", SentenceOf(error).c_str());
}

/// Fails the test if `text` contains `piece`, which is not shown: it may be a secret.
inline void AssertLacks(std::string_view text, std::string_view piece) {
  if (text.find(piece) != std::string_view::npos) fail_msg("a text holds what it must not");
}

}  // namespace cloudflaredump
