// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>

#include "extcap/capture/analytics_memory.h"
#include "extcap/capture/traffic_report.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/tool/api_call.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {
namespace {

constexpr const char* kColosSummary =
    "Show at which data centers traffic entered Cloudflare's network, and how much of\n"
    "it Cloudflare dropped there. If the analytics cannot express part of the filter,\n"
    "the output says so. All numbers are estimates from samples. The token needs the\n"
    "permission \"Account Analytics: Read\".";

/// What the command line says beside the settings.
struct Wish {
  std::string filter;
  std::string start;
  std::string end;
  bool json = false;
};

Result<filter::CaptureFilter> Compile(const std::string& text, capture::Engine& engine) {
  filter::CompileBounds bounds;
  bounds.stop = [&stop = engine.stop()] {
    stop.TakeSignals();
    return stop.AtLeast(system::StopLevel::kStop);
  };
  return filter::CaptureFilter::CompileTyped(text, filter::NameLookup::kResolve, bounds);
}

Result<capture::TrafficReport> Ask(ApiCall& call, const Wish& wish) {
  capture::Engine& engine = *call.engine;
  const WallTime now = engine.loop().Now();
  const auto window = capture::TrafficWindow(wish.start, wish.end, now);
  if (!window) return Failure(window);
  const auto filter = Compile(wish.filter, engine);
  if (!filter) return Failure(filter);
  const auto access = capture::FindAccess(call.settings);
  if (!access) return Failure(access);
  api::AnalyticsApi analytics(engine.http(), engine.loop(), *access);
  capture::AnalyticsMemory memory(system::ProcessEnvironment);
  const auto bounds = capture::FindBounds(analytics, *access, memory, now, call.patience());
  if (!bounds) return Failure(bounds);
  auto report = capture::AskTraffic(analytics, *filter, *window, *bounds, now, call.patience());
  // The bounds may have changed: the next run asks for them again.
  if (!report && report.error().kind == Error::Kind::kFinal) memory.Forget(*access);
  return report;
}

}  // namespace

int ColosCommand(int argc, char** argv) {
  Wish wish;
  const config::ExtraArgument extra[] = {
      {.name = "filter",
       .letter = 'f',
       .text = &wish.filter,
       .help = "The capture filter. Default: all traffic to the account.",
       .value_name = "FILTER"},
      {.name = "start-time",
       .text = &wish.start,
       .help = "Where the window begins, written like a sample's start. Default: -1h.",
       .value_name = "TIME"},
      {.name = "end-time",
       .text = &wish.end,
       .help = "Where the window ends. Default: -2m, because the analytics lag.",
       .value_name = "TIME"},
      {.name = "json", .flag = &wish.json, .help = "Print JSON instead of text."},
  };
  auto call = ApiCall::Prepare(argc, argv, {.summary = kColosSummary, .options = kApiOptions},
                               {0, "colos takes no arguments; give the filter with -f"}, extra);
  if (!call) return Complain(call.error());
  const auto report = Ask(*call, wish);
  if (!report) return Complain(report.error());
  if (wish.json) {
    std::puts(capture::ReportAsJson(*report).c_str());
  } else {
    std::fputs(capture::ReportAsText(*report).c_str(), stdout);
  }
  return 0;
}

}  // namespace cloudflaredump::tool
