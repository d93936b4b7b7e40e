// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "tests/unit/api_fixture.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/read_stream.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump {

class RecordingReporter : public capture::Reporter {
 public:
  void Status(const std::string& state) override { states.push_back(state); }
  void Warning(const std::string& sentence) override { warnings.push_back(sentence); }

  std::vector<std::string> states;
  std::vector<std::string> warnings;
};

/// All that is outside of a capture, in memory; what was started is remembered in a folder of the
/// test's own.
struct CaptureFixture : ApiFixture {
  /// Runs `run` with the context of a capture on the interface `name`.
  template <class Run>
  auto With(const char* name, const config::OptionValues& given, const char* filter_text,
            const Run& run) {
    const config::CaptureInterface interface = ValueOf(config::FindInterface(name));
    const config::Settings settings = LoadSettings(given, interface.kind, environment);
    const filter::CaptureFilter filter =
        ValueOf(filter::CaptureFilter::Compile(filter_text, filter::NameLookup::kRefuse));
    const system::Environment reader = environment.Reader();
    capture::StartedCaptures started(reader);
    capture::PcapngStream stream(sink);
    const std::string account = "acc123";
    return run(capture::CaptureContext{.api = api,
                                       .http = http,
                                       .loop = loop,
                                       .stop = stop,
                                       .reporter = reporter,
                                       .settings = settings,
                                       .environment = reader,
                                       .account_id = account,
                                       .started = started,
                                       .filter = filter,
                                       .interface = interface,
                                       .stream = stream});
  }

  ReadStream Read() const { return ReadBack(sink.bytes); }

  /// Whether the reporter was told this state.
  bool Told(const std::string& state) const {
    return std::ranges::find(reporter.states, state) != reporter.states.end();
  }

  /// The records of what was started, as they stand now.
  capture::StartedCaptures Started() const {
    return capture::StartedCaptures(environment.Reader());
  }

  TempFolder folder;
  FakeEnvironment environment = FakeEnvironment().Set("XDG_STATE_HOME", folder / "state");
  system::StopRequests stop{loop};
  RecordingReporter reporter;
  MemorySink sink;
};

inline void AssertStatus(const capture::Outcome& outcome, capture::ExitStatus status) {
  if (capture::StatusOf(outcome) == status) return;
  fail_msg("exit status %d: %s %s", static_cast<int>(capture::StatusOf(outcome)),
           outcome.verdict.c_str(), outcome.error ? SentenceOf(*outcome.error).c_str() : "");
}

}  // namespace cloudflaredump
