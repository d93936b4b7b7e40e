// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/capture_request.h"
#include "tests/emulator/request.h"

namespace cloudflare_emulator {

/// How long the stages of a capture take, speed already applied, and how they end.
struct LifeCycle {
  Span job{};
  std::string result = "success";  ///< A status word, or "never".
};

/// One capture that was asked for.
struct Capture {
  std::string id;
  CaptureRequest request;
  Moment submitted;

  /// The API's status word at `now`.
  std::string StatusAt(Span now, const LifeCycle& life) const;
  /// The span of time whose packets a sample shows.
  SampleWindow Window() const;
  /// The capture as the API describes it.
  Json Describe(Span now, const LifeCycle& life) const;
};

/// Good ends: the data is there.
bool IsDone(const std::string& status);

/// All captures since the start, oldest first.
class CaptureStore {
 public:
  Capture& Add(CaptureRequest request, const Moment& now);
  Capture* Find(const std::string& id);
  /// When a sample was last asked for.
  std::optional<Span> LastSample() const;
  /// "An array that includes up to 50 sent requests": the newest 50, oldest first.
  std::vector<const Capture*> Last50() const;
  std::deque<Capture>& all() { return captures_; }

 private:
  std::deque<Capture> captures_;  ///< A deque: pointers to its elements stay good.
};

/// 32 hexadecimal digits at random, as the API's ids are.
std::string NewId();

}  // namespace cloudflare_emulator
