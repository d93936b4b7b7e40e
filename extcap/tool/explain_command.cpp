// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>

#include "extcap/base/text.h"
#include "extcap/capture/explain.h"
#include "extcap/config/arguments.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/filter/compile.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump {
namespace {

constexpr const char* kSummary =
    "Says, without asking anybody, which requests a capture filter becomes, as JSON:\n"
    "{\"filter\":…, \"requests\":[{\"filter_v1\":{…}}…], \"exact\":…, \"broad\":…, "
    "\"undocumented\":[…]}";

constexpr Opt kPlanOptions[] = {Opt::kRequestsPerWindow, Opt::kFilterIpv6, Opt::kProfile};

Result<std::string> Explain(int argc, char** argv) {
  std::string interface_name = "cloudflare-sample";
  const ExtraArgument extra[] = {
      {.name = "interface",
       .letter = 'i',
       .text = &interface_name,
       .help = "The capture interface; a full capture is one request.",
       .value_name = "NAME"},
  };
  auto arguments = ParseArguments(
      argc, argv, extra, {.usage = "FILTER", .summary = kSummary, .options = kPlanOptions});
  if (!arguments) return std::unexpected(arguments.error());
  std::string text;
  for (const std::string& word : arguments->words) text += (text.empty() ? "" : " ") + word;
  auto interface = FindInterface(interface_name);
  if (!interface) return std::unexpected(interface.error());
  auto settings = Settings::Load(arguments->values, interface->kind, ProcessEnvironment);
  if (!settings) return std::unexpected(settings.error());
  ForbidNameLookup();
  auto filter = CaptureFilter::Compile(text, NameLookup::kRefuse);
  // The command was used rightly: libpcap's answer is that there is no plan.
  if (!filter) return Fail(filter.error().message);
  const bool sample = interface->kind == InterfaceKind::kSample;
  const Plan plan = MakePlan(
      *filter,
      {.max_requests = sample ? static_cast<int>(settings->Number(Opt::kRequestsPerWindow)) : 1,
       .pin_ipv6 = settings->IsOn(Opt::kFilterIpv6)});
  return ExplainJson(text, plan);
}

}  // namespace

int ExplainCommand(int argc, char** argv) {
  auto explained = Explain(argc, argv);
  if (!explained) return Complain(explained.error());
  std::puts(explained->c_str());
  return 0;
}

}  // namespace cloudflaredump
