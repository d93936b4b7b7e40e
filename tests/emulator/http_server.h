// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>
#include <microhttpd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tests/emulator/answer.h"
#include "tests/emulator/request.h"
#include "tests/emulator/request_log.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

struct ServerSettings {
  std::string host;  ///< A literal address; IPv6 in brackets.
  std::uint16_t port = 0;
  Span answer_delay{};
  std::uint64_t download_rate = 0;  ///< Bytes a second; 0: no limit.
};

/// HTTP on the thread and main loop of GLib's default context: no other thread runs any of this.
class HttpServer {
 public:
  using Handler = std::function<Answer(const Request&, const Moment&)>;

  /// Listens at once; requests are served while the main loop runs. `log` outlives the server.
  static Outcome<std::unique_ptr<HttpServer>> Start(const ServerSettings& settings, Handler handler,
                                                    RequestLog& log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port listened on.
  std::uint16_t port() const;

 private:
  struct Exchange;
  struct SlowBody;
  /// A timer that wakes a suspended connection.
  struct Sleeper {
    HttpServer* server;
    MHD_Connection* connection;
    guint timer;
  };

  HttpServer(const ServerSettings& settings, Handler handler, RequestLog& log)
      : settings_(settings), handler_(std::move(handler)), log_(log) {}

  static MHD_Result OnRequest(void* server, MHD_Connection* connection, const char* url,
                              const char* method, const char* version, const char* upload,
                              size_t* upload_size, void** state);
  static void OnCompleted(void* server, MHD_Connection* connection, void** state,
                          MHD_RequestTerminationCode code);
  static ssize_t ReadSlowly(void* slow_body, uint64_t position, char* buffer, size_t most);

  bool Listen();
  MHD_Result Receive(Exchange& exchange, MHD_Connection* connection, const char* upload,
                     size_t* upload_size);
  MHD_Result Send(const Answer& answer, MHD_Connection* connection);
  MHD_Response* MakeResponse(const Answer& answer, MHD_Connection* connection);
  void Sleep(MHD_Connection* connection, Span time);
  void Wake(MHD_Connection* connection);
  void Run();

  ServerSettings settings_;
  Handler handler_;
  RequestLog& log_;
  MHD_Daemon* daemon_ = nullptr;
  guint socket_source_ = 0;
  guint timeout_source_ = 0;
  std::map<MHD_Connection*, std::unique_ptr<Sleeper>> sleepers_;
};

}  // namespace cloudflare_emulator
