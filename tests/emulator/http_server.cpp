// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/http_server.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace cloudflare_emulator {
namespace {

/// No request of the API comes near this.
constexpr std::size_t kMostBody = 1 << 20;

std::optional<std::string> Header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

/// The address to bind, as the sockets want it; `size` receives its length.
sockaddr_storage SocketAddress(const std::string& host, std::uint16_t port, socklen_t& size) {
  sockaddr_storage storage{};
  if (host.starts_with("[")) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr);
    std::memcpy(&storage, &address, size = sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    std::memcpy(&storage, &address, size = sizeof address);
  }
  return storage;
}

guint Milliseconds(Span time) {
  return static_cast<guint>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

}  // namespace

/// One request on its way in, and its answer on its way out.
struct HttpServer::Exchange {
  Request request;
  std::optional<Answer> answer;
};

/// A body that is let out at the download rate.
struct HttpServer::SlowBody {
  HttpServer* server;
  MHD_Connection* connection;
  std::string bytes;
  gint64 start;
};

Outcome<std::unique_ptr<HttpServer>> HttpServer::Start(const ServerSettings& settings,
                                                       Handler handler, RequestLog& log) {
  std::unique_ptr<HttpServer> server(new HttpServer(settings, std::move(handler), log));
  if (server->Listen()) return server;
  return std::unexpected(
      Text("Cannot listen on %s:%u: the port is taken or not allowed; port 0 takes a free one.",
           settings.host.c_str(), settings.port));
}

bool HttpServer::Listen() {
  socklen_t size = 0;
  const sockaddr_storage address = SocketAddress(settings_.host, settings_.port, size);
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  if (address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
  daemon_ = MHD_start_daemon(flags, settings_.port, nullptr, nullptr, &OnRequest, this,
                             MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                             &OnCompleted, this, MHD_OPTION_END);
  if (!daemon_) return false;
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  const auto run = +[](gint, GIOCondition, gpointer server) -> gboolean {
    static_cast<HttpServer*>(server)->Run();
    return G_SOURCE_CONTINUE;
  };
  socket_source_ = g_unix_fd_add(info->epoll_fd, G_IO_IN, run, this);
  return true;
}

HttpServer::~HttpServer() {
  if (!daemon_) return;
  g_source_remove(socket_source_);
  if (timeout_source_ != 0) g_source_remove(timeout_source_);
  // The daemon cannot be stopped while connections are suspended.
  for (const auto& [connection, sleeper] : sleepers_) {
    g_source_remove(sleeper->timer);
    MHD_resume_connection(connection);
  }
  MHD_stop_daemon(daemon_);
}

std::uint16_t HttpServer::port() const {
  return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void HttpServer::Run() {
  MHD_run(daemon_);
  if (timeout_source_ != 0) g_source_remove(timeout_source_);
  timeout_source_ = 0;
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) != MHD_YES) return;
  const auto again = +[](gpointer data) -> gboolean {
    auto* server = static_cast<HttpServer*>(data);
    server->timeout_source_ = 0;
    server->Run();
    return G_SOURCE_REMOVE;
  };
  timeout_source_ = g_timeout_add(static_cast<guint>(milliseconds), again, this);
}

void HttpServer::Sleep(MHD_Connection* connection, Span time) {
  MHD_suspend_connection(connection);
  auto sleeper = std::make_unique<Sleeper>(Sleeper{this, connection, 0});
  const auto wake = +[](gpointer data) -> gboolean {
    const Sleeper awake = *static_cast<Sleeper*>(data);
    awake.server->Wake(awake.connection);
    return G_SOURCE_REMOVE;
  };
  sleeper->timer = g_timeout_add(Milliseconds(time), wake, sleeper.get());
  sleepers_[connection] = std::move(sleeper);
}

void HttpServer::Wake(MHD_Connection* connection) {
  sleepers_.erase(connection);
  MHD_resume_connection(connection);
  Run();
}

MHD_Result HttpServer::OnRequest(void* server, MHD_Connection* connection, const char* url,
                                 const char* method, const char*, const char* upload,
                                 size_t* upload_size, void** state) {
  if (!*state) {
    *state = new Exchange{.request = {.method = method,
                                      .path = url,
                                      .authorization = Header(connection, "Authorization"),
                                      .email = Header(connection, "X-Auth-Email"),
                                      .key = Header(connection, "X-Auth-Key"),
                                      .content_type = Header(connection, "Content-Type"),
                                      .body = ""},
                          .answer = std::nullopt};
    return MHD_YES;
  }
  return static_cast<HttpServer*>(server)->Receive(*static_cast<Exchange*>(*state), connection,
                                                   upload, upload_size);
}

MHD_Result HttpServer::Receive(Exchange& exchange, MHD_Connection* connection, const char* upload,
                               size_t* upload_size) {
  if (*upload_size > 0) {
    exchange.request.body.append(upload, *upload_size);
    *upload_size = 0;
    return exchange.request.body.size() <= kMostBody ? MHD_YES : MHD_NO;
  }
  if (!exchange.answer) {
    const Moment now = Now();
    exchange.answer = handler_(exchange.request, now);
    log_.Write(exchange.request, exchange.answer->close ? 0 : exchange.answer->status, now.wall);
    if (settings_.answer_delay > Span::zero()) {
      Sleep(connection, settings_.answer_delay);
      return MHD_YES;
    }
  }
  return Send(*exchange.answer, connection);
}

MHD_Result HttpServer::Send(const Answer& answer, MHD_Connection* connection) {
  if (answer.close) return MHD_NO;
  MHD_Response* response = MakeResponse(answer, connection);
  if (!answer.content_type.empty()) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  }
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result result =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return result;
}

MHD_Response* HttpServer::MakeResponse(const Answer& answer, MHD_Connection* connection) {
  if (!answer.download || settings_.download_rate == 0) {
    return MHD_create_response_from_buffer(
        answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  }
  constexpr std::size_t kBlock = 16384;
  auto* body = new SlowBody{this, connection, answer.body, g_get_monotonic_time()};
  return MHD_create_response_from_callback(
      answer.body.size(), kBlock, &ReadSlowly, body,
      [](void* slow_body) { delete static_cast<SlowBody*>(slow_body); });
}

ssize_t HttpServer::ReadSlowly(void* slow_body, uint64_t position, char* buffer, size_t most) {
  const SlowBody& body = *static_cast<SlowBody*>(slow_body);
  const double elapsed = static_cast<double>(g_get_monotonic_time() - body.start) / 1e6;
  const auto rate = static_cast<double>(body.server->settings_.download_rate);
  const double allowed = 1 + elapsed * rate;
  if (allowed < static_cast<double>(position + 1)) {
    body.server->Sleep(body.connection,
                       std::clamp<Span>(Seconds(1 / rate), std::chrono::milliseconds(10),
                                        std::chrono::seconds(1)));
    return 0;
  }
  const std::size_t now = static_cast<std::size_t>(allowed) - position;
  const std::size_t size = std::min({most, now, body.bytes.size() - position});
  return static_cast<ssize_t>(body.bytes.copy(buffer, size, position));
}

void HttpServer::OnCompleted(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
  delete static_cast<Exchange*>(*state);
  *state = nullptr;
}

}  // namespace cloudflare_emulator
