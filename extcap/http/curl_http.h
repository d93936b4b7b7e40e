// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <vector>

#include "extcap/http/http.h"

namespace cloudflaredump::http {

/// Http on a libcurl multi handle that `loop` drives: no thread, no wait of its own.
///
/// Connections are kept and used again. Requests are not multiplexed on one HTTP/2 connection,
/// whose flow control would make large objects share one window. HTTPS_PROXY and NO_PROXY work as
/// with curl; plain http (loopback only) never goes to a proxy. CURL_CA_BUNDLE, else SSL_CERT_FILE,
/// names the file of certificate authorities.
class CurlHttp final : public Http {
 public:
  /// `loop` must outlive this.
  explicit CurlHttp(system::EventLoop& loop);
  /// Ends all transfers without OnEnd.
  ~CurlHttp() override;

  Transfer Start(HttpRequest request, HttpReceiver& receiver) override;
  void Cancel(Transfer transfer) override;

 private:
  struct Active;

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int OnTimer(CURLM* multi, long millis, void* self);

  void Begin(Active& active);
  /// Lets libcurl act on `fd` (or on its timer), then serves what came of it.
  void Act(curl_socket_t fd, int events);
  /// Serves what libcurl's last action left to do: burials and ended transfers.
  void Settle();
  /// Takes the transfer out and tells its receiver.
  void Finish(Active& active, Result<HttpEnd> end);
  void Release(Active& active);
  void CheckLimit(Active& active);
  /// Real time for a length of the loop's clock.
  Duration Real(Duration span) const;

  system::EventLoop& loop_;
  CURLM* multi_;
  std::map<Transfer, std::unique_ptr<Active>> active_;
  /// Cancelled while libcurl was calling us, when handles cannot be removed.
  std::vector<std::unique_ptr<Active>> buried_;
  std::vector<CURL*> spare_;
  std::map<curl_socket_t, system::EventLoop::Id> watches_;
  system::EventLoop::Id timer_ = 0;
  bool in_curl_ = false;
  Transfer last_ = 0;
};

}  // namespace cloudflaredump::http
