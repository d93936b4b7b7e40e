// SPDX-License-Identifier: GPL-2.0-or-later
// The face: answers Wireshark's questions at once and without the network. Wireshark runs it 2N+1
// times at its own start, with no time limit, and drops the answer of a call that fails.
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "common/version.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/settings.h"
#include "extcap/config/toolbar.h"
#include "extcap/filter/link_type.h"
#include "extcap/frontend/dialog.h"
#include "extcap/frontend/filter_check.h"
#include "extcap/frontend/hand_over.h"
#include "extcap/frontend/sentence.h"

namespace cloudflaredump::frontend {
namespace {

/// Wireshark's words, read by hand: it sends few, always separate but for --extcap-version=, and
/// whatever a later Wireshark adds must not make the interfaces disappear.
struct Call {
  bool interfaces = false;
  bool dlts = false;
  bool config = false;
  bool capture = false;
  bool reload = false;
  bool help = false;
  bool version = false;
  bool has_filter = false;
  std::string interface;
  std::string filter;
  std::string fifo;
  std::string control_in;
};

Call ReadCall(int argc, char** argv) {
  Call call;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    const std::size_t equals = word.find('=');
    const bool joined = word.starts_with("--") && equals != std::string_view::npos;
    const std::string_view name = joined ? word.substr(0, equals) : word;
    const auto value = [&]() -> std::string {
      if (joined) return std::string(word.substr(equals + 1));
      return i + 1 < argc ? argv[++i] : "";
    };
    if (name == "--extcap-interfaces") call.interfaces = true;
    if (name == "--extcap-dlts") call.dlts = true;
    if (name == "--extcap-config") call.config = true;
    if (name == "--capture") call.capture = true;
    if (name == "--extcap-reload-option") call.reload = true;
    if (name == "--help" || name == "-h") call.help = true;
    if (name == "--version") call.version = true;
    if (name == "--extcap-interface") call.interface = value();
    if (name == "--fifo") call.fifo = value();
    if (name == "--extcap-control-in") call.control_in = value();
    if (name == "--extcap-capture-filter") {
      call.has_filter = true;
      call.filter = value();
    }
  }
  return call;
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
  for (const config::ToolbarControlRow& control : config::AllToolbarControls()) {
    Sentence("control")
        .With("number", static_cast<std::uint64_t>(control.id))
        .With("type", control.type)
        .With("role", control.role)
        .With("display", control.display)
        .With("tooltip", control.tooltip)
        .WithIfAny("placeholder", control.placeholder == nullptr ? "" : control.placeholder)
        .Print();
  }
  return 0;
}

/// The real link type is known when the first file arrives and stands in its interface block.
int PrintDlts() {
  Sentence("dlt")
      .With("number", filter::kLinkTypeRaw)
      .With("name", "RAW")
      .With("display", "Raw IP")
      .Print();
  return 0;
}

constexpr const char* kHelp =
    "This is the capture source that Wireshark runs. Its interfaces are in Wireshark's list and "
    "in\n"
    "tshark -D; in scripts use the command cloudflaredump, see cloudflaredump --help.\n"
    "\n"
    "  --extcap-interfaces                                list the interfaces\n"
    "  --extcap-interface=NAME --extcap-dlts              list an interface's link types\n"
    "  --extcap-interface=NAME --extcap-config            list an interface's options\n"
    "  --extcap-interface=NAME --extcap-capture-filter=F  check a capture filter\n"
    "  --extcap-interface=NAME --capture --fifo=PATH      capture";

int Main(int argc, char** argv) {
  const Call call = ReadCall(argc, argv);
  if (call.capture) return HandOver(argc, argv, call.fifo, call.control_in);
  if (call.reload) return HandOver(argc, argv, "", "");
  if (call.interfaces) return PrintInterfaces();
  if (call.help || argc == 1) {
    std::puts(kHelp);
    return 0;
  }
  if (call.version) {
    std::puts(kApplication);
    return 0;
  }
  if (!call.dlts && !call.config && !call.has_filter) return 0;
  auto interface = config::FindInterface(call.interface);
  if (!interface) return FailExtcapCall(interface.error());
  if (call.dlts) return PrintDlts();
  if (call.config) {
    PrintDialog(*interface,
                config::Settings::LoadWhatIsGood(interface->kind, system::ProcessEnvironment));
    return 0;
  }
  PrintFilterVerdict(call.filter);
  return 0;
}

}  // namespace
}  // namespace cloudflaredump::frontend

int main(int argc, char** argv) {
  return cloudflaredump::frontend::Main(argc, argv);
}
