// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <glib.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "common/text.h"
#include "common/version.h"
#include "extcap/capture/extcap_session.h"
#include "extcap/capture/reload.h"
#include "extcap/system/core_dump.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {
namespace {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);
  const char* help;
};

constexpr Command kCommands[] = {
    {"capture", CaptureCommand, "capture packets into a file or pipe"},
    {"list", ListCommand, "list the account's most recent captures"},
    {"show", ShowCommand, "show one capture"},
    {"stop", StopCommand, "stop a running full capture"},
    {"explain", ExplainCommand, "show the requests that a capture filter turns into"},
    {"colos", ColosCommand, "show the data centers that traffic enters, and what was dropped"},
    {"compare", CompareCommand,
     "show which packets that Cloudflare saw did not reach your routers"},
    {"register-bucket", RegisterBucketCommand, "register a bucket for full captures"},
    {"check", CheckCommand, "check the installation, configuration, credentials and buckets"},
};

void PrintHelp() {
  std::puts(
      "Usage: cloudflaredump COMMAND [OPTION…]\n"
      "\n"
      "Capture packets in Cloudflare's network, for Wireshark and scripts.\n"
      "\n"
      "Commands:");
  for (const Command& command : kCommands) {
    std::printf("  %-16s %s\n", command.name, command.help);
  }
  std::puts(
      "\n"
      "Run cloudflaredump COMMAND --help to see a command's options. In Wireshark and\n"
      "tshark, use the interfaces whose names begin with cloudflare-.");
}

/// `argv` begins with the command's name.
int RunCommand(const Command& command, int argc, char** argv) {
  // GLib prints --help under this name, in the terminal's encoding.
  g_set_prgname(Format("cloudflaredump %s", command.name).c_str());
  std::setlocale(LC_CTYPE, "");
  // Where no language is set, as in cron, that would be ASCII; all our other text is UTF-8 there.
  if (std::string_view(nl_langinfo(CODESET)) == "ANSI_X3.4-1968") {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  return command.run(argc, argv);
}

/// Keeps what is opened later from getting the number of a standard descriptor that was closed, and
/// so what is printed: writing to it fails as before.
void HoldStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", O_RDONLY);
  }
}

/// Whether nobody reads standard output any more, as after `head`.
bool ReaderHasGone() {
  pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/// `status`, unless something could not be written to standard output that somebody wants.
int Written(int status) {
  const bool failed = std::ferror(stdout) != 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if ((!failed && flushed) || ReaderHasGone()) return status;
  return Complain({.what = "cannot write to standard output" +
                           (flushed ? "" : std::string(": ") + std::strerror(error))});
}

bool Has(int argc, char** argv, const char* word) {
  for (const char* argument : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    if (std::strcmp(argument, word) == 0) return true;
  }
  return false;
}

int Main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  for (const Command& command : kCommands) {
    if (word == command.name) return RunCommand(command, argc - 1, argv + 1);
  }
  // The front end passes Wireshark's calls on with their argv unchanged.
  if (Has(argc, argv, "--capture")) return capture::RunExtcapCapture(argc, argv);
  if (Has(argc, argv, "--extcap-reload-option")) return capture::RunExtcapReload(argc, argv);
  if (word == "help" && argc > 2) {
    const std::string_view about = argv[2];
    for (const Command& command : kCommands) {
      static char help[] = "--help";
      char* words[] = {argv[2], help, nullptr};
      if (about == command.name) return RunCommand(command, 2, words);
    }
  }
  if (word == "--help" || word == "-h" || word == "help") {
    PrintHelp();
    return 0;
  }
  if (word == "--version") {
    std::puts(kApplication);
    return 0;
  }
  if (word.empty()) {
    PrintHelp();
    return 2;
  }
  return Complain({.what = "there is no command \"" + CleanLine(word, 40) + "\"",
                   .remedy = "see cloudflaredump --help",
                   .kind = Error::Kind::kUsage});
}

}  // namespace

int Complain(const Error& error) {
  std::fprintf(stderr, "cloudflaredump: %s\n", CleanLine(SentenceOf(error), 2000).c_str());
  return error.kind == Error::Kind::kUsage ? 2 : 1;
}

}  // namespace cloudflaredump::tool

int main(int argc, char** argv) {
  cloudflaredump::tool::HoldStandardDescriptors();
  cloudflaredump::system::HideMemory();
  return cloudflaredump::tool::Written(cloudflaredump::tool::Main(argc, argv));
}
