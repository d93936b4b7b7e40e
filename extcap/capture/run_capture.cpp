// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/run_capture.h"

#include "common/text.h"
#include "extcap/capture/download_capture.h"
#include "extcap/capture/full_capture.h"
#include "extcap/capture/live_capture.h"
#include "extcap/capture/sample_capture.h"
#include "extcap/capture/stop_wait.h"
#include "extcap/capture/traffic_notes.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

Outcome Failed(const Error& error) {
  Outcome outcome;
  outcome.Note(std::unexpected(error));
  return outcome;
}

Outcome RunKind(const CaptureContext& context) {
  switch (context.interface.kind) {
    case config::InterfaceKind::kSample:
      return SampleCapture(context).Run();
    case config::InterfaceKind::kLive:
      return LiveCapture(context).Run();
    case config::InterfaceKind::kFull:
    case config::InterfaceKind::kColo:
      return FullCapture(context).Run();
    case config::InterfaceKind::kDownload:
      return RunDownload(context);
  }
  return Failed({"there is no such kind of interface"});
}

Outcome RunOn(Engine& engine, const config::Settings& settings,
              const config::CaptureInterface& interface, const std::string& filter_text,
              PcapngStream& stream, Reporter& reporter) {
  filter::CompileBounds bounds;
  bounds.stop = [&stop = engine.stop()] {
    stop.TakeSignals();
    return stop.AtLeast(system::StopLevel::kStop);
  };
  auto filter =
      filter::CaptureFilter::CompileTyped(filter_text, filter::NameLookup::kResolve, bounds);
  if (!filter) return Failed(filter.error());
  auto access = FindAccess(settings);
  if (!access) return Failed(access.error());
  api::PcapsApi api(engine.http(), engine.loop(), *access);
  const system::Environment environment = system::ProcessEnvironment;
  StartedCaptures started(environment);
  const CaptureContext context{.api = api,
                               .http = engine.http(),
                               .loop = engine.loop(),
                               .stop = engine.stop(),
                               .reporter = reporter,
                               .settings = settings,
                               .environment = environment,
                               .account_id = access->account_id,
                               .started = started,
                               .filter = *filter,
                               .interface = interface,
                               .stream = stream};
  api.OnMessage([&context](const std::string& message) {
    context.Warn("Cloudflare says: " + message + ".");
  });
  Outcome outcome = RunKind(context);
  AddTrafficNote(context, outcome);
  return outcome;
}

}  // namespace

Outcome RunCapture(Engine& engine, const config::Settings& settings,
                   const config::CaptureInterface& interface, const std::string& filter_text,
                   system::ByteSink& sink, Reporter& reporter) {
  PcapngStream stream(sink);
  const StopWait stop_wait(engine.loop(), engine.stop(),
                           std::chrono::seconds(settings.Number(config::Opt::kStopWait)));
  Outcome outcome = RunOn(engine, settings, interface, filter_text, stream, reporter);
  auto closed = sink.Close();
  if (!closed && !outcome.error) {
    outcome.error = closed.error();
    outcome.verdict.clear();  // It may say "Complete".
  }
  if (outcome.error)
    system::Log(system::LogLevel::kError, "%s", SentenceOf(*outcome.error).c_str());
  if (!outcome.verdict.empty()) system::Log(system::LogLevel::kInfo, "%s", outcome.verdict.c_str());
  if (!outcome.left_behind.empty())
    system::Log(system::LogLevel::kWarning, "%s", outcome.left_behind.c_str());
  return outcome;
}

}  // namespace cloudflaredump::capture
