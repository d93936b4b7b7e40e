// SPDX-License-Identifier: GPL-2.0-or-later
// Answers Wireshark's questions immediately and without the network. Wireshark runs this program
// 2N+1 times when it starts, with no time limit, and drops the answer of a call that fails.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/version.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/config/toolbar.h"
#include "extcap/config/typed_filter.h"
#include "extcap/filter/link_type.h"
#include "extcap/frontend/dialog.h"
#include "extcap/frontend/filter_check.h"
#include "extcap/frontend/hand_over.h"
#include "extcap/frontend/sentence.h"
#include "extcap/system/core_dump.h"

namespace cloudflaredump::frontend {
namespace {

/// Wireshark's arguments by name, parsed by hand: a newer Wireshark's must not make the interfaces
/// disappear.
using Call = std::map<std::string, std::string, std::less<>>;

Call ReadCall(int argc, char** argv) {
  constexpr std::string_view kWithValue[] = {"--extcap-interface", "--fifo", "--extcap-control-in",
                                             "--extcap-capture-filter"};
  Call call;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    std::string& value = call[std::string(word.substr(0, equals))];
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (std::ranges::find(kWithValue, word) != std::end(kWithValue) && i + 1 < argc) {
      value = argv[++i];
    }
  }
  return call;
}

/// A control of the toolbar; types and roles as Wireshark 4.0 knows them (extcap_parser.c).
void PrintControl(config::ToolbarControl number, const char* type, const char* role,
                  const char* display, const char* tooltip, const char* placeholder = "") {
  Sentence("control")
      .With("number", static_cast<std::uint64_t>(number))
      .With("type", type)
      .With("role", role)
      .With("display", display)
      .With("tooltip", tooltip)
      .WithIfAny("placeholder", placeholder)
      .Print();
}

int PrintInterfaces() {
  Sentence("extcap")
      .With("version", kVersion)
      .With("help", config::kHelpAddress)
      .With("display", "Cloudflare packet captures")
      .Print();
  const config::Settings settings =
      config::Settings::LoadWhatIsGood(config::InterfaceKind::kSample, system::ProcessEnvironment);
  for (const config::CaptureInterface& interface :
       config::ListInterfaces(settings.Text(config::Opt::kColos))) {
    Sentence("interface").With("value", interface.name).With("display", interface.display).Print();
  }
  PrintControl(config::ToolbarControl::kStatus, "string", "control", "Status",
               "Shows what the capture at Cloudflare is doing.", "no capture is running");
  PrintControl(
      config::ToolbarControl::kFinish, "button", "control", "Finish now",
      "Stop the capture at Cloudflare now, and keep this one open until everything that was "
      "captured has arrived. Stop waits only for a while.");
  PrintControl(config::ToolbarControl::kLog, "button", "logger", "Log",
               "Show the requests to Cloudflare and their results.");
  PrintControl(config::ToolbarControl::kHelp, "button", "help", "Help",
               "Open Cloudflare's page about packet captures.");
  return 0;
}

/// The actual link type becomes known with the first file, and is in its interface block.
int PrintDlts() {
  Sentence("dlt")
      .With("number", filter::kLinkTypeRaw)
      .With("name", "RAW")
      .With("display", "Raw IP")
      .Print();
  return 0;
}

constexpr const char* kHelp =
    "Wireshark runs this program as a capture source; its interfaces are in Wireshark's\n"
    "list and in tshark -D. In scripts, use the command cloudflaredump.\n"
    "\n"
    "  --extcap-interfaces                                list the interfaces\n"
    "  --extcap-interface=NAME --extcap-dlts              list an interface's link types\n"
    "  --extcap-interface=NAME --extcap-config            list an interface's options\n"
    "  --extcap-interface=NAME --extcap-capture-filter=F  check a capture filter\n"
    "  --extcap-interface=NAME --capture --fifo=PATH      capture";

int Main(int argc, char** argv) {
  Call call = ReadCall(argc, argv);
  if (call.contains("--capture")) {
    return HandOver(argc, argv, call["--fifo"], call["--extcap-control-in"]);
  }
  if (call.contains("--extcap-reload-option")) return HandOver(argc, argv, "", "");
  if (call.contains("--extcap-interfaces")) return PrintInterfaces();
  if (call.contains("--help") || call.contains("-h") || argc == 1) {
    std::puts(kHelp);
    return 0;
  }
  if (call.contains("--version")) {
    std::puts(kApplication);
    return 0;
  }
  const bool dlts = call.contains("--extcap-dlts");
  const bool config = call.contains("--extcap-config");
  const auto filter = call.find("--extcap-capture-filter");
  if (!dlts && !config && filter == call.end()) return 0;
  auto interface = config::FindInterface(call["--extcap-interface"]);
  if (!interface) return FailExtcapCall(interface.error());
  if (dlts) return PrintDlts();
  if (config) {
    PrintDialog(*interface,
                config::Settings::LoadWhatIsGood(interface->kind, system::ProcessEnvironment));
    return 0;
  }
  if (PrintFilterVerdict(filter->second)) {
    config::RememberTypedFilter(interface->name, filter->second, system::ProcessEnvironment);
  }
  return 0;
}

}  // namespace
}  // namespace cloudflaredump::frontend

int main(int argc, char** argv) {
  cloudflaredump::system::HideMemory();
  return cloudflaredump::frontend::Main(argc, argv);
}
