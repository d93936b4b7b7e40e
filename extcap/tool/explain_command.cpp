// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>

#include "common/text.h"
#include "extcap/capture/explain.h"
#include "extcap/config/arguments.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {
namespace {

constexpr const char* kExplainSummary =
    "Show as JSON which requests a capture filter becomes. Uses no network.\n"
    "{\"filter\":…, \"requests\":[{\"filter_v1\":{…}}…], \"exact\":…, \"broad\":…, "
    "\"undocumented\":[…]}";

constexpr config::Opt kPlanOptions[] = {config::Opt::kRequestsPerWindow, config::Opt::kFilterIpv6,
                                        config::Opt::kProfile};

Result<std::string> Explain(int argc, char** argv) {
  std::string interface_name = "cloudflare-sample";
  const config::ExtraArgument extra[] = {
      {.name = "interface",
       .letter = 'i',
       .text = &interface_name,
       .help = "Explain for this interface; a full capture is one request.",
       .value_name = "NAME"},
  };
  auto arguments = config::ParseArguments(
      argc, argv, extra, {.usage = "FILTER", .summary = kExplainSummary, .options = kPlanOptions});
  if (!arguments) return Failure(arguments);
  std::string text;
  for (const std::string& word : arguments->words) text += (text.empty() ? "" : " ") + word;
  auto interface = config::FindInterface(interface_name);
  if (!interface) return Failure(interface);
  auto settings =
      config::Settings::Load(arguments->values, interface->kind, system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  auto filter = filter::CaptureFilter::CompileTyped(text, filter::NameLookup::kRefuse);
  if (!filter) return Failure(filter);
  const bool sample = config::IsSample(interface->kind);
  const filter::Plan plan = filter::MakePlan(
      *filter,
      {.max_requests =
           sample ? static_cast<int>(settings->Number(config::Opt::kRequestsPerWindow)) : 1,
       .pin_ipv6 = settings->IsOn(config::Opt::kFilterIpv6)});
  return capture::ExplainJson(text, plan);
}

}  // namespace

int ExplainCommand(int argc, char** argv) {
  auto explained = Explain(argc, argv);
  if (!explained) return Complain(explained.error());
  std::puts(explained->c_str());
  return 0;
}

}  // namespace cloudflaredump::tool
