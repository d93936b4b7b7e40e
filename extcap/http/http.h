// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/time.h"
#include "extcap/system/event_loop.h"

namespace cloudflaredump::http {

/// Keys for an AWS Signature Version 4. Secret: never logged.
struct SigV4Keys {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< Empty if none; sent and signed as x-amz-security-token.
  std::string region;
  std::string service = "s3";
};

/// One request, and how long it may take.
struct HttpRequest {
  std::string method = "GET";
  /// http is allowed to loopback only; the path and query are sent as they are written here. With
  /// `sigv4` a path with a `.` or `..` segment is refused: libcurl would sign and fetch another.
  std::string url;
  /// Names and values. May hold secrets (Authorization): never logged.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< Sent with PUT and POST.
  std::optional<SigV4Keys> sigv4;
  /// Certificate authorities for this request alone, instead of those of CURL_CA_BUNDLE,
  /// SSL_CERT_FILE and the system; empty for these.
  std::string ca_file;
  /// Asks for gzip to be sent as it is stored. A body is never unpacked.
  bool accept_gzip = false;
  /// A longer body ends the transfer with an error.
  std::size_t max_body = std::size_t{16} << 20;
  /// For a connection to be made, and for the next byte to come; both on the loop's clock.
  Duration connect_timeout = std::chrono::seconds(10);
  Duration stall_timeout = std::chrono::seconds(30);
};

/// The status line and headers of an answer.
struct HttpHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.

  /// The first header of that lower-case name, or null.
  const std::string* Find(std::string_view name) const;
};

/// How a transfer ended, when it ended well.
struct HttpEnd {
  /// False when only the closing of the connection ended the body: there was neither a
  /// Content-Length nor chunks, so nobody can say whether something is missing.
  bool end_is_certain = true;
};

/// Takes one answer as it arrives. Called from EventLoop::RunUntil only, never from a call of Http.
/// All may start and cancel transfers, their own too; only OnEnd may run the loop.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  /// Once, before the first OnBody. 1xx answers are not shown.
  virtual void OnHead(const HttpHead& head) = 0;
  /// The next bytes of the body, whatever the status. An Error cancels the transfer and comes back
  /// through OnEnd.
  virtual Result<void> OnBody(std::span<const std::byte> bytes) = 0;
  /// Once, last. After it the receiver is not touched again, and may be deleted in it. A fault of
  /// network, TLS or framing (a body shorter than promised) is an Error here; an answer with a
  /// status of 400 is not.
  virtual void OnEnd(Result<HttpEnd> end) = 0;
};

/// The one interface to the network. Asynchronous, one thread, any number of transfers at a time.
/// TLS is always verified; redirects are never followed.
///
/// The real one is CurlHttp; tests have FakeHttp (tests/unit/fake_http.h), which records calls.
class Http {
 public:
  using Transfer = unsigned;

  Http() = default;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  virtual ~Http() = default;

  /// Starts a transfer and returns its handle (> 0). `receiver` must live until OnEnd or Cancel.
  virtual Transfer Start(HttpRequest request, HttpReceiver& receiver) = 0;
  /// Ends a transfer without OnEnd. Unknown and ended handles are ignored.
  virtual void Cancel(Transfer transfer) = 0;
};

/// A whole answer held in memory.
struct HttpAnswer {
  HttpHead head;
  std::string body;
  HttpEnd end;
};

/// Sends `request` and waits for the whole answer. `stop` is asked after every event; once it says
/// true the transfer is cancelled and the result is Error::kInterrupted. Faults are kPassing
/// where a later try may help (refused, reset, timed out, cut short), else kFinal (TLS, bad URL).
/// `*status` becomes the answer's as far as it came, also where it did not come to its end; else 0.
Result<HttpAnswer> Fetch(Http& http, system::EventLoop& loop, HttpRequest request,
                         const std::function<bool()>& stop, int* status = nullptr);

/// When a failed try may be repeated. Doubling waits with jitter from 0.5 s to 15 s, or what the
/// server's Retry-After says. No try is begun later than `budget` after the first failure, or than
/// kLongestAsked if a Retry-After asks for that.
class Backoff {
 public:
  /// The longest wait that a server may ask for beyond a budget that is shorter.
  static constexpr Duration kLongestAsked = std::chrono::minutes(5);

  Backoff(system::EventLoop& loop, Duration budget);

  /// Waits before the next try. `retry_after` in seconds or as an HTTP date, empty if none. False
  /// when the budget is spent (or would be by waiting so long) or `stop` said true. `countdown`, if
  /// any, is called about once a second with the time left.
  bool WaitForNextTry(const std::string& retry_after, const std::function<bool()>& stop,
                      const std::function<void(Duration)>& countdown = {});

  /// The length of the next wait, or nothing when the budget is spent; for callers that have more
  /// than one thing to wait for. Counts as a failure at this moment.
  std::optional<Duration> NextWait(const std::string& retry_after);

  /// Forgets past failures: the last try got somewhere.
  void Reset();

 private:
  system::EventLoop& loop_;
  Duration budget_;
  Duration step_;
  std::optional<system::SteadyTime> first_failure_;
};

/// 408, 425, 429 and every status from 500 up, which gateways between us and a service answer with,
/// too: worth a later try.
bool IsTransientStatus(int status);

/// A date as HTTP headers have it (RFC 9110, 5.6.7); none if it is no such date.
std::optional<WallTime> ParseHttpDate(const std::string& text);

/// "host" or "host:port" of `url`, as messages name a server; never its path, query or user.
std::string HostOf(const std::string& url);

/// Whether `url` is http or https to 127.0.0.0/8, ::1 or localhost.
bool IsLoopbackUrl(const std::string& url);

/// An Error if the loop's clock runs faster than life (`speed`, CLOUDFLAREDUMP_SPEED) and `url` is
/// not on this machine: waits that protect other people's servers must not be cut short.
Result<void> CheckSpeed(double speed, const std::string& url);

}  // namespace cloudflaredump::http
