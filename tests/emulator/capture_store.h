// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/capture_request.h"
#include "tests/emulator/full_run.h"
#include "tests/emulator/request.h"

namespace cloudflare_emulator {

/// What answers about captures depend on besides the captures.
struct LifeCycle {
  Span job{};                      ///< From a sample's request to its result, speed applied.
  std::string result = "success";  ///< A status word, or "never".
  ColoField colo_field = ColoField::kColoName;
};

/// One capture that was asked for.
struct Capture {
  std::string id{};
  CaptureRequest request{};
  Moment submitted{};
  std::unique_ptr<FullRun> run{};  ///< Of a full capture; null for samples.

  /// The API's status word at `now`. Full captures are as of their last advance.
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
  /// The full capture that is pending or running; null if there is none.
  const Capture* Capturing() const;
  /// Lets full captures go on to where they are at `now`.
  void Advance(Span now);
  /// "An array that includes up to 50 sent requests": the newest 50, oldest first.
  std::vector<const Capture*> Last50() const;

 private:
  std::deque<Capture> captures_;  ///< A deque: pointers to its elements stay good.
};

/// 32 hexadecimal digits at random, as the API's ids are.
std::string NewId();

}  // namespace cloudflare_emulator
