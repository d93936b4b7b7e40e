// SPDX-License-Identifier: GPL-2.0-or-later
#include <curl/curl.h>
#include <glib-unix.h>

#include <csignal>
#include <cstdio>

#include "tests/emulator/api.h"
#include "tests/emulator/clock.h"
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

Outcome<std::unique_ptr<Traffic>> MakeTraffic(const PacketOptions& options) {
  if (options.files.empty()) return GeneratedTraffic(options.seed);
  std::optional<Time> rebase_to;
  if (options.rebase) rebase_to = Now().wall;
  return RecordedTraffic(options.files, rebase_to);
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

/// The routers have seen made-up traffic from some time before the start on, as samples look back;
/// recorded packets from their beginning on.
constexpr std::chrono::minutes kLookBack{10};

Outcome<std::unique_ptr<RouterSide>> MakeRouters(const Options& options, Time now) {
  const Time first = options.packets.files.empty() ? now - kLookBack : Time(Span(0));
  return RouterSide::Open(options.routers, options.packets.seed, first);
}

/// Lets captures and the routers go on while no requests come.
class Ticker {
 public:
  Ticker(Api& api, RouterSide* routers, const Traffic* traffic)
      : api_(api),
        routers_(routers),
        traffic_(traffic),
        source_(g_timeout_add(kMilliseconds, &Tick, this)) {}
  ~Ticker() { g_source_remove(source_); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  static constexpr guint kMilliseconds = 20;
  static gboolean Tick(gpointer ticker) {
    static_cast<Ticker*>(ticker)->Advance();
    return G_SOURCE_CONTINUE;
  }
  void Advance() {
    const Moment now = Now();
    api_.Advance(now);
    if (routers_ != nullptr) routers_->Advance(*traffic_, now.wall);
  }
  Api& api_;
  RouterSide* routers_;
  const Traffic* traffic_;
  guint source_;
};

int Run(const Options& options) {
  if (!options.packets.serve_as_is.empty()) {
    const auto readable = ReadFile(options.packets.serve_as_is);
    if (!readable) return Complain(kUsage, readable.error());
  }
  auto traffic = MakeTraffic(options.packets);
  if (!traffic) return Complain(kUsage, traffic.error());
  RequestLog log;
  const auto opened = log.Open(options.log);
  if (!opened) return Complain(kUsage, opened.error());

  MainLoop loop;
  std::unique_ptr<RouterSide> routers;
  const Traffic& passing = **traffic;  // The Api keeps it.
  if (!options.routers.files.empty()) {
    auto made = MakeRouters(options, Now().wall);
    if (!made) return Complain(kUsage, made.error());
    routers = *std::move(made);
    routers->Advance(passing, Now().wall);
  }
  auto api = Api::Make(options, *std::move(traffic), Now().wall);
  if (!api) return Complain(kUsage, api.error());
  const Ticker ticker(**api, routers.get(), &passing);
  const ServerSettings settings{.host = options.listen.host,
                                .port = options.listen.port,
                                .answer_delay = Seconds(options.answers.delay),
                                .download_rate = options.answers.download_rate};
  const auto handle = [&api](const Request& request, const Moment& now) {
    return (*api)->Handle(request, now);
  };
  const auto server = HttpServer::Start(settings, handle, log);
  if (!server) return Complain(kFailed, server.error());
  printf("listening on http://%s:%u%s\n", options.listen.host.c_str(), (*server)->port(),
         kBasePath);
  fflush(stdout);
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace cloudflare_emulator

int main(int argc, char** argv) {
  using namespace cloudflare_emulator;
  signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto options = ParseOptions(argc, argv);
  if (options) return Run(*options);
  const OptionsEnd& end = options.error();
  if (end.exit_status != 0) return Complain(end.exit_status, end.text);
  fputs(end.text.c_str(), stdout);
  return 0;
}
