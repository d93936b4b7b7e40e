// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/curl_http.h"

#include <glib.h>
#include <poll.h>

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/http/curl_fault.h"
#include "extcap/http/curl_request.h"
#include "extcap/http/proxy.h"
#include "extcap/system/log.h"

namespace cloudflaredump::http {
namespace {

constexpr std::size_t kMaxHead = std::size_t{256} << 10;
constexpr std::size_t kSpareHandles = 32;

/// libcurl's answer for "this body is not wanted".
constexpr std::size_t kRefuse = CURL_WRITEFUNC_ERROR;

void InitialiseCurlOnce() {
  [[maybe_unused]] static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/// Whether the end of an answer's body can be told from the connection's end (RFC 9112, 6.3).
bool EndIsCertain(const HttpHead& head, long http_version, const std::string& method) {
  if (http_version >= CURL_HTTP_VERSION_2_0) return true;
  if (method == "HEAD" || head.status == 204 || head.status == 304) return true;
  if (head.Find("content-length") != nullptr) return true;
  const std::string* const coding = head.Find("transfer-encoding");
  if (coding == nullptr) return false;
  const std::string_view text = Trim(*coding);
  constexpr std::string_view kChunked = "chunked";
  return text.size() >= kChunked.size() &&
         g_ascii_strncasecmp(text.data() + text.size() - kChunked.size(), kChunked.data(),
                             kChunked.size()) == 0;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), g_ascii_tolower);
  return lower;
}

}  // namespace

/// One transfer between Start and its end. Its address stays the same: libcurl holds it.
struct CurlHttp::Active {
  Active(CurlHttp& owner, Transfer own_id, HttpRequest what, HttpReceiver& whom)
      : http(owner), id(own_id), request(std::move(what)), receiver(&whom) {}

  static std::size_t OnHeaderLine(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBytes(char* data, std::size_t size, std::size_t count, void* self);
  static int OnConnected(void* self, char*, char*, int, int);

  void TakeHeaderLine(std::string_view line);
  void TakeHead();
  std::size_t TakeBytes(std::span<const std::byte> bytes);
  void Refuse(std::string why) { refusal = Error{std::move(why)}; }
  void Touch() { deadline = http.loop_.Steady() + request.stall_timeout; }
  /// (Re)starts the timer that looks at `deadline`.
  void ArmLimit();
  /// What is said when `deadline` has passed.
  Error LimitReached() const;
  /// Why the transfer ended with `code`.
  Error Fault(CURLcode code) const;

  CurlHttp& http;
  const Transfer id;
  const HttpRequest request;
  HttpReceiver* receiver;  ///< Null once cancelled.
  CURL* easy = nullptr;
  HeaderList headers;
  char error[CURL_ERROR_SIZE] = "";

  HttpHead head;
  std::size_t head_bytes = 0;
  bool in_head = false;
  bool head_done = false;
  std::size_t received = 0;
  HttpEnd end;
  /// Set when the transfer was ended by us or by its receiver.
  std::optional<Error> refusal;

  bool connected = false;
  bool ended_well = false;
  system::SteadyTime deadline;
  system::EventLoop::Id limit = 0;  ///< Timer that looks at `deadline`.
  system::EventLoop::Id task = 0;   ///< Timer for Begin.
};

std::size_t CurlHttp::Active::OnHeaderLine(char* data, std::size_t size, std::size_t count,
                                           void* self) {
  auto& active = *static_cast<Active*>(self);
  const std::size_t bytes = size * count;
  if (active.receiver == nullptr) return kRefuse;
  active.Touch();
  active.TakeHeaderLine({data, bytes});
  return active.receiver == nullptr || active.refusal ? kRefuse : bytes;
}

std::size_t CurlHttp::Active::OnBytes(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Active*>(self)->TakeBytes(
      std::as_bytes(std::span<const char>(data, size * count)));
}

/// libcurl is connected and about to send the request.
int CurlHttp::Active::OnConnected(void* self, char*, char*, int, int) {
  auto& active = *static_cast<Active*>(self);
  active.connected = true;
  active.Touch();
  active.ArmLimit();  // the stall limit may be shorter than what was left of the connect limit
  return CURL_PREREQFUNC_OK;
}

void CurlHttp::Active::TakeHeaderLine(std::string_view line) {
  head_bytes += line.size();
  if (head_bytes > kMaxHead) {
    Refuse(HostOf(request.url) + " answered with more headers than make sense");
    return;
  }
  if (head_done) return;  // a trailer, of which only the length counts
  if (!in_head) {         // the status line
    in_head = true;
    head = HttpHead();
    return;
  }
  const std::string_view text = Trim(line);
  if (text.empty()) {
    in_head = false;
    TakeHead();
    return;
  }
  if ((line.front() == ' ' || line.front() == '\t') && !head.headers.empty()) {
    head.headers.back().second.append(" ").append(text);  // a folded value
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return;
  head.headers.emplace_back(LowerCase(Trim(text.substr(0, colon))),
                            std::string(Trim(text.substr(colon + 1))));
}

void CurlHttp::Active::TakeHead() {
  long status = 0;
  long version = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  if (status >= 100 && status < 200) return;  // an interim answer; the real one follows
  head_done = true;
  head.status = static_cast<int>(status);
  end.end_is_certain = EndIsCertain(head, version, request.method);
  receiver->OnHead(head);
  if (receiver == nullptr || request.method == "HEAD") return;
  const std::string* const length = head.Find("content-length");
  if (length == nullptr) return;
  const std::optional<std::uint64_t> promised = ParseNumber(*length);
  // libcurl takes a length that overflows for no length; the end would then pass for certain.
  if (!promised) {
    Refuse(HostOf(request.url) + " promised an answer of impossible length");
  } else if (*promised > request.max_body) {
    Refuse("the answer of " + HostOf(request.url) + " is larger than the " +
           WithThousands(request.max_body) + " bytes that were expected at most");
  }
}

std::size_t CurlHttp::Active::TakeBytes(std::span<const std::byte> bytes) {
  if (receiver == nullptr) return kRefuse;
  Touch();
  if (bytes.size() > request.max_body - received) {
    Refuse("the answer of " + HostOf(request.url) + " is larger than the " +
           WithThousands(request.max_body) + " bytes that were expected at most");
    return kRefuse;
  }
  received += bytes.size();
  Result<void> taken = receiver->OnBody(bytes);
  if (receiver == nullptr) return kRefuse;
  if (!taken) {
    refusal = std::move(taken.error());
    return kRefuse;
  }
  return bytes.size();
}

void CurlHttp::Active::ArmLimit() {
  http.loop_.Cancel(limit);
  limit = http.loop_.CallAt(deadline, [this] { http.CheckLimit(*this); });
}

Error CurlHttp::Active::LimitReached() const {
  const std::string host = HostOf(request.url);
  if (connected) {
    return {.what = host + " sent nothing for " + FormatSpan(request.stall_timeout),
            .remedy = "check the network connection",
            .kind = Error::Kind::kPassing};
  }
  return {.what = "cannot reach " + host + ": no connection within " +
                  FormatSpan(request.connect_timeout),
          .remedy = "check the network connection and any firewall or proxy",
          .kind = Error::Kind::kPassing};
}

Error CurlHttp::Active::Fault(CURLcode code) const {
  if (refusal) return *refusal;
  if (code == CURLE_OPERATION_TIMEDOUT) return LimitReached();
  CurlFault fault{.code = code, .detail = error, .began = head_done};
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &fault.os_error);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &fault.proxy_status);
  return DescribeFault(fault, HostOf(request.url));
}

CurlHttp::CurlHttp(system::EventLoop& loop) : loop_(loop) {
  InitialiseCurlOnce();
  RegisterProxySecrets();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) g_error("libcurl cannot be used: no memory");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(kSpareHandles));
#if LIBCURL_VERSION_NUM >= 0x081400
  // From 8.20 on the threads that look names up are the multi handle's; see CURLOPT_QUICK_EXIT.
  curl_multi_setopt(multi_, CURLMOPT_QUICK_EXIT, 1L);
#endif
}

CurlHttp::~CurlHttp() {
  while (!active_.empty()) Cancel(active_.begin()->first);
  for (CURL* const easy : spare_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);  // closes kept connections, with OnSocket for each
  for (const auto& [fd, id] : watches_) loop_.Cancel(id);
  loop_.Cancel(timer_);
}

Duration CurlHttp::Real(Duration span) const {
  return std::chrono::duration_cast<Duration>(span / loop_.speed());
}

Http::Transfer CurlHttp::Start(HttpRequest request, HttpReceiver& receiver) {
  const Transfer id = ++last_;
  auto& slot = active_[id];
  slot = std::make_unique<Active>(*this, id, std::move(request), receiver);
  // Begun by the loop: libcurl takes no new transfer inside its callbacks, and no receiver is
  // called from here.
  slot->task = loop_.CallAt(loop_.Steady(), [this, &active = *slot] { Begin(active); });
  return id;
}

void CurlHttp::Begin(Active& active) {
  active.task = 0;
  if (const Result<void> allowed = CheckRequest(active.request); !allowed) {
    return Finish(active, Failure(allowed));
  }
  if (spare_.empty()) {
    active.easy = curl_easy_init();
  } else {
    active.easy = spare_.back();
    spare_.pop_back();
  }
  if (active.easy == nullptr) return Finish(active, Fail("libcurl gives no handle: no memory"));
  CURL* const easy = active.easy;
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, active.error);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &active);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, Active::OnHeaderLine);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &active);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Active::OnBytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &active);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, Active::OnConnected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &active);
  Result<HeaderList> headers =
      SetRequest(easy, active.request, Real(active.request.connect_timeout));
  if (!headers) return Finish(active, Failure(headers));
  active.headers = std::move(*headers);
  active.deadline = loop_.Steady() + active.request.connect_timeout;
  active.ArmLimit();
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  if (code != CURLM_OK) {
    Finish(active, Fail(std::string("libcurl takes no transfer: ") + curl_multi_strerror(code)));
  }
}

void CurlHttp::Cancel(Transfer transfer) {
  const auto found = active_.find(transfer);
  if (found == active_.end()) return;
  found->second->receiver = nullptr;
  buried_.push_back(std::move(found->second));
  active_.erase(found);
  loop_.Cancel(buried_.back()->task);
  loop_.Cancel(buried_.back()->limit);
  if (!in_curl_) Settle();
}

void CurlHttp::Release(Active& active) {
  loop_.Cancel(active.task);
  loop_.Cancel(active.limit);
  if (active.easy == nullptr) return;
  curl_multi_remove_handle(multi_, active.easy);
  curl_easy_reset(active.easy);
  // A handle of a failed transfer may keep its buffer, and then refuses another size for it.
  if (active.ended_well && spare_.size() < kSpareHandles) {
    spare_.push_back(active.easy);
  } else {
    curl_easy_cleanup(active.easy);
  }
  active.easy = nullptr;
}

void CurlHttp::Finish(Active& active, Result<HttpEnd> end) {
  const auto found = active_.find(active.id);
  const std::unique_ptr<Active> own = std::move(found->second);
  active_.erase(found);
  own->ended_well = end.has_value();
  if (own->head_done) {
    system::Log(system::LogLevel::kDebug, "%s %s: HTTP %d, %zu bytes", own->request.method.c_str(),
                RedactAddress(own->request.url).c_str(), own->head.status, own->received);
  }
  Release(*own);
  own->receiver->OnEnd(std::move(end));
}

void CurlHttp::Act(curl_socket_t fd, int events) {
  if (in_curl_) return;  // a receiver runs the loop where it must not; libcurl cannot be entered
  int running = 0;
  in_curl_ = true;
  curl_multi_socket_action(multi_, fd, events, &running);
  in_curl_ = false;
  Settle();
}

void CurlHttp::Settle() {
  for (const auto& active : std::exchange(buried_, {})) Release(*active);
  int left = 0;
  // Receivers are called here: each message is done with before the next is asked for.
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Active* active = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &active);
    if (code == CURLE_OK && !active->refusal && active->head_done) {
      Finish(*active, active->end);
    } else if (code == CURLE_OK && !active->refusal) {
      // A close within the headers: to libcurl a whole answer, to us the loss of one.
      Finish(*active, std::unexpected(active->Fault(CURLE_GOT_NOTHING)));
    } else {
      Finish(*active, std::unexpected(active->Fault(code)));
    }
  }
}

void CurlHttp::CheckLimit(Active& active) {
  active.limit = 0;
  if (loop_.Steady() < active.deadline) return active.ArmLimit();
  Finish(active, std::unexpected(active.LimitReached()));
}

int CurlHttp::OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& http = *static_cast<CurlHttp*>(self);
  if (const auto old = http.watches_.find(fd); old != http.watches_.end()) {
    http.loop_.Cancel(old->second);
    http.watches_.erase(old);
  }
  if (what == CURL_POLL_REMOVE) return 0;
  const bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  const auto events = static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0));
  http.watches_[fd] = http.loop_.Watch(fd, events, [&http, fd](short ready) {
    // An error is left for libcurl to meet in its next read or write, which names it.
    const bool broken = (ready & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    const int readable = broken || (ready & POLLIN) != 0 ? CURL_CSELECT_IN : 0;
    const int writable = broken || (ready & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
    http.Act(fd, readable | writable);
  });
  return 0;
}

int CurlHttp::OnTimer(CURLM*, long millis, void* self) {
  auto& http = *static_cast<CurlHttp*>(self);
  http.loop_.Cancel(http.timer_);
  http.timer_ = 0;
  if (millis < 0) return 0;
  // libcurl counts real milliseconds, the loop its own.
  const auto wait = http.loop_.FromReal(std::chrono::milliseconds(millis));
  http.timer_ = http.loop_.CallAt(http.loop_.Steady() + wait, [&http] {
    http.timer_ = 0;
    http.Act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

}  // namespace cloudflaredump::http
