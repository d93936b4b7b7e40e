// SPDX-License-Identifier: GPL-2.0-or-later
#include <glib-unix.h>

#include <csignal>
#include <cstdio>

#include "tests/emulator/api.h"
#include "tests/emulator/http_server.h"
#include "tests/emulator/options.h"
#include "tests/emulator/request_log.h"
#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Complain(int status, const std::string& sentence) {
  fprintf(stderr, "cloudflare-emulator: %s\n", sentence.c_str());
  return status;
}

Outcome<std::unique_ptr<Traffic>> MakeTraffic(const Options& options) {
  if (options.packets.empty()) return GeneratedTraffic(options.seed);
  std::optional<Time> rebase_to;
  if (options.rebase) rebase_to = std::chrono::system_clock::now();
  return RecordedTraffic(options.packets, rebase_to);
}

/// A main loop that SIGTERM or SIGINT end, also when they come before it runs.
class MainLoop {
 public:
  MainLoop() {
    for (const int signal : {SIGTERM, SIGINT}) g_unix_signal_add(signal, &Quit, loop_);
  }
  ~MainLoop() { g_main_loop_unref(loop_); }
  MainLoop(const MainLoop&) = delete;
  MainLoop& operator=(const MainLoop&) = delete;
  void Run() { g_main_loop_run(loop_); }

 private:
  static gboolean Quit(gpointer loop) {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_CONTINUE;
  }
  GMainLoop* loop_ = g_main_loop_new(nullptr, FALSE);
};

int Run(const Options& options) {
  if (!options.serve_as_is.empty()) {
    const auto readable = ReadFile(options.serve_as_is);
    if (!readable) return Complain(kUsage, readable.error());
  }
  auto traffic = MakeTraffic(options);
  if (!traffic) return Complain(kUsage, traffic.error());
  RequestLog log;
  const auto opened = log.Open(options.log);
  if (!opened) return Complain(kUsage, opened.error());

  MainLoop loop;
  Api api(options, *std::move(traffic));
  const ServerSettings settings{.host = options.host,
                                .port = options.port,
                                .answer_delay = Seconds(options.answer_delay),
                                .download_rate = options.download_rate};
  const auto server = HttpServer::Start(
      settings,
      [&api](const Request& request, const Moment& now) { return api.Handle(request, now); }, log);
  if (!server) return Complain(kFailed, server.error());
  printf("listening on http://%s:%u%s\n", options.host.c_str(), (*server)->port(), kBasePath);
  fflush(stdout);
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace cloudflare_emulator

int main(int argc, char** argv) {
  using namespace cloudflare_emulator;
  signal(SIGPIPE, SIG_IGN);
  const auto options = ParseOptions(argc, argv);
  if (options) return Run(*options);
  const OptionsEnd& end = options.error();
  if (end.exit_status != 0) return Complain(end.exit_status, end.text);
  fputs(end.text.c_str(), stdout);
  return 0;
}
