// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/extcap_session.h"

#include <string>

#include "extcap/capture/run_capture.h"
#include "extcap/capture/toolbar_reporter.h"
#include "extcap/config/arguments.h"
#include "extcap/frontend/sentence.h"
#include "extcap/system/control_pipes.h"
#include "extcap/system/fifo_sink.h"

namespace cloudflaredump::capture {
namespace {

/// The words of Wireshark's own options.
struct ExtcapWords {
  std::string interface;
  std::string fifo;
  std::string filter;
  std::string control_in;
  std::string control_out;
};

Result<config::Arguments> Parse(int argc, char** argv, ExtcapWords& words) {
  bool capture = false;
  std::string version;
  const config::ExtraArgument extra[] = {
      {.name = "capture", .flag = &capture},
      {.name = "extcap-interface", .text = &words.interface},
      {.name = "fifo", .text = &words.fifo},
      {.name = "extcap-capture-filter", .text = &words.filter},
      {.name = "extcap-control-in", .text = &words.control_in},
      {.name = "extcap-control-out", .text = &words.control_out},
      {.name = "extcap-version", .text = &version},
  };
  return config::ParseExtcapArguments(argc, argv, extra);
}

/// What has to be known before a capture can begin.
struct Prepared {
  config::CaptureInterface interface;
  config::Settings settings;
  std::unique_ptr<Engine> engine;
};

Result<Prepared> Prepare(const Result<config::Arguments>& arguments, const ExtcapWords& words) {
  if (!arguments) return Failure(arguments);
  auto interface = config::FindInterface(words.interface);
  if (!interface) return Failure(interface);
  auto settings =
      config::Settings::Load(arguments->values, interface->kind, system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  auto engine = Engine::Make(*settings, system::ProcessEnvironment);
  if (!engine) return Failure(engine);
  return Prepared{*std::move(interface), *std::move(settings), *std::move(engine)};
}

/// How long the window is waited for, so that our end is there when it opens its own.
constexpr std::chrono::seconds kPartnerPatience{5};

/// Runs the capture; returns the sentence that ends it on stderr, empty if there is nothing to say.
std::string RunPrepared(Prepared& prepared, const std::string& filter, system::ByteSink& sink,
                        system::ControlPipes& pipes) {
  Engine& engine = *prepared.engine;
  ToolbarReporter reporter(pipes, engine.loop(), engine.stop());
  const Outcome outcome =
      RunCapture(engine, prepared.settings, prepared.interface, filter, sink, reporter);
  std::string said = Complaint(outcome);
  reporter.End(said.empty() ? outcome.verdict : said);
  // The reader may be gone; a stop needs no comment, a loss does.
  if (said.empty() && !outcome.losses.empty() && !outcome.stopped) said = outcome.verdict;
  if (said.empty()) said = reporter.unseen_warning();
  return said;
}

}  // namespace

int RunExtcapCapture(int argc, char** argv) {
  ExtcapWords words;
  const auto arguments = Parse(argc, argv, words);
  // The window stands still until control-in is open, so nothing comes before that.
  system::ControlPipes pipes(words.control_in, words.control_out);
  auto prepared = Prepare(arguments, words);
  // Whatever went wrong so far, the FIFO is opened before it is said.
  const auto spare = prepared ? nullptr : std::make_unique<Engine>(1);
  Engine& engine = prepared ? *prepared->engine : *spare;
  auto sink = system::FifoSink::Open(words.fifo, engine.loop(), engine.stop());
  // From here on this process may end at any point: dumpcap and the window have all they wait for.
  pipes.AwaitPartner(kPartnerPatience);
  if (!prepared) return frontend::FailExtcapCall(prepared.error());
  if (!sink)
    return sink.error().kind == Error::Kind::kInterrupted ? 0
                                                          : frontend::FailExtcapCall(sink.error());
  const std::string said = RunPrepared(*prepared, words.filter, **sink, pipes);
  return said.empty() ? 0 : frontend::FailExtcapCall({said});
}

}  // namespace cloudflaredump::capture
