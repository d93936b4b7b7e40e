// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/run_capture.h"

#include "extcap/base/text.h"
#include "extcap/capture/download_capture.h"
#include "extcap/capture/full_capture.h"
#include "extcap/capture/sample_capture.h"
#include "extcap/capture/stop_wait.h"
#include "extcap/system/log.h"

namespace cloudflaredump {
namespace {

Outcome Failed(const Error& error) {
  Outcome outcome;
  outcome.Note(std::unexpected(error));
  return outcome;
}

Outcome RunOn(Engine& engine, const Settings& settings, const CaptureInterface& interface,
              const std::string& filter_text, PcapngStream& stream, Reporter& reporter) {
  LookupBounds bounds;
  bounds.stop = [&stop = engine.stop()] {
    stop.TakeSignals();
    return stop.AtLeast(StopLevel::kStop);
  };
  auto filter = CaptureFilter::Compile(filter_text, NameLookup::kResolve, bounds);
  if (!filter) return Failed(filter.error());
  auto access = FindAccess(settings);
  if (!access) return Failed(access.error());
  PcapsApi api(engine.http(), engine.loop(), *access);
  const CaptureContext context{.api = api,
                               .loop = engine.loop(),
                               .stop = engine.stop(),
                               .reporter = reporter,
                               .settings = settings,
                               .filter = *filter,
                               .interface = interface,
                               .stream = stream};
  switch (interface.kind) {
    case InterfaceKind::kSample:
      return SampleCapture(context, access->account_id).Run();
    case InterfaceKind::kFull:
    case InterfaceKind::kColo:
      return FullCapture(context, engine.http(), access->account_id).Run();
    case InterfaceKind::kDownload:
      return RunDownload(context, engine.http(), access->account_id);
  }
  return Failed({"there is no such kind of interface."});
}

}  // namespace

Outcome RunCapture(Engine& engine, const Settings& settings, const CaptureInterface& interface,
                   const std::string& filter_text, ByteSink& sink, Reporter& reporter) {
  PcapngStream stream(sink);
  const StopWait stop_wait(engine.loop(), engine.stop(),
                           std::chrono::seconds(settings.Number(Opt::kStopWait)));
  Outcome outcome = RunOn(engine, settings, interface, filter_text, stream, reporter);
  auto closed = sink.Close();
  if (!closed && !outcome.error) outcome.error = closed.error();
  if (outcome.error) Log(LogLevel::kError, "%s", outcome.error->message.c_str());
  if (!outcome.verdict.empty()) Log(LogLevel::kInfo, "%s", outcome.verdict.c_str());
  if (!outcome.left_behind.empty()) Log(LogLevel::kWarning, "%s", outcome.left_behind.c_str());
  return outcome;
}

}  // namespace cloudflaredump
