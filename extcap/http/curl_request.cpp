// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/curl_request.h"

#include <glib.h>

#include <algorithm>

#include "common/text.h"
#include "common/version.h"
#include "extcap/http/url.h"

namespace cloudflaredump::http {
namespace {

/// Sets options and remembers the first that libcurl refused.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}

  template <class Value>
  void Set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (code_ == CURLE_OK) code_ = code;
  }

  CURLcode code() const { return code_; }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
};

/// The file of certificate authorities that the user names, or null. The curl tool reads these
/// variables; libcurl does not.
const char* CaFile() {
  for (const char* const variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* const file = g_getenv(variable);
    if (file != nullptr && *file != '\0') return file;
  }
  return nullptr;
}

std::string Sha256(const std::string& body) {
  char* const raw = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body.data(),
                                                  static_cast<gssize>(body.size()));
  std::string text = raw;
  g_free(raw);
  return text;
}

void SetMethod(Options& options, const HttpRequest& request) {
  if (request.method == "GET") {
    options.Set(CURLOPT_HTTPGET, 1L);
  } else if (request.method == "HEAD") {
    options.Set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "POST" || request.method == "PUT") {
    // A PUT as a POST by another name: libcurl's own upload mode would ask for a read callback.
    options.Set(CURLOPT_POST, 1L);
    options.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    options.Set(CURLOPT_POSTFIELDS, request.body.c_str());
    options.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    // libcurl silently sends again what went into a kept connection that then closed unanswered.
    // The first may have arrived, and a POST starts something: only its sender may repeat it.
    options.Set(CURLOPT_FRESH_CONNECT, 1L);
    options.Set(CURLOPT_FORBID_REUSE, 1L);  // or one more would be kept for each
  } else {
    options.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

bool HasHeader(const HttpRequest& request, const char* name) {
  return std::ranges::any_of(request.headers, [name](const auto& header) {
    return g_ascii_strcasecmp(header.first.c_str(), name) == 0;
  });
}

HeaderList Headers(const HttpRequest& request) {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& line) {
    list = curl_slist_append(list, line.c_str());
  };
  for (const auto& [name, value] : request.headers) {
    // libcurl's way to send a header with an empty value is a semicolon for the colon.
    add(value.empty() ? name + ";" : Format("%s: %s", name.c_str(), value.c_str()));
  }
  if (request.sigv4) {
    // libcurl up to 7.88 does not send the body's hash, and S3, R2 and Swift insist on it.
    add("x-amz-content-sha256: " + Sha256(request.body));
    if (!request.sigv4->session_token.empty()) {
      add("x-amz-security-token: " + request.sigv4->session_token);
    }
  } else if (request.method == "POST" || request.method == "PUT") {
    // Removals, so never on signed requests: libcurl up to 8.2 signs what it then leaves out.
    add("Expect:");
    if (!HasHeader(request, "Content-Type")) add("Content-Type:");
  }
  return HeaderList(list);
}

void SetSigning(Options& options, const HttpRequest& request) {
  if (!request.sigv4) {
    options.Set(CURLOPT_PATH_AS_IS, 1L);  // refused beside signing by libcurl from 8.14 on
    return;
  }
  const std::string scope =
      Format("aws:amz:%s:%s", request.sigv4->region.c_str(), request.sigv4->service.c_str());
  options.Set(CURLOPT_AWS_SIGV4, scope.c_str());
  options.Set(CURLOPT_USERNAME, request.sigv4->access_key_id.c_str());
  options.Set(CURLOPT_PASSWORD, request.sigv4->secret_access_key.c_str());
}

bool HasControl(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return g_ascii_iscntrl(c) && c != '\t'; });
}

/// A region or service name stands in a colon-separated text and in a header.
bool IsScopeWord(const std::string& word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

Result<void> CheckSigning(const SigV4Keys& keys, const Url& url) {
  if (HasDotSegment(url.path)) {
    return Fail("a path with a . or .. segment cannot be asked for with a signature, because " +
                url.host + " would be asked for another path");
  }
  if (!IsScopeWord(keys.region) || !IsScopeWord(keys.service)) {
    return Fail("\"" + CleanLine(keys.region, 60) + "\" is not a region's name");
  }
  if (HasControl(keys.access_key_id) || HasControl(keys.secret_access_key) ||
      HasControl(keys.session_token)) {
    return Fail("the keys for " + url.host + " hold a line break or another control character");
  }
  return {};
}

}  // namespace

Result<void> CheckRequest(const HttpRequest& request) {
  const std::optional<Url> url = ParseUrl(request.url);
  if (!url || HasControl(request.url)) return Fail("the address to ask is not a valid URL");
  if (url->scheme != "http" && url->scheme != "https") {
    return Fail("an address must begin with https://, not " + CleanLine(url->scheme, 40) + "://");
  }
  if (url->scheme == "http" && !IsLoopbackHost(url->host)) {
    return Fail("http://" + CleanLine(HostOf(request.url)) +
                    " is not asked, because keys and tokens would travel in the clear",
                "use https "
                "(plain http is for loopback addresses only)");
  }
  for (const auto& [name, value] : request.headers) {
    if (HasControl(name) || HasControl(value)) {
      return Fail("the value for the header " + CleanLine(name, 60) +
                  " holds a line break or another control character");
    }
  }
  return request.sigv4 ? CheckSigning(*request.sigv4, *url) : Result<void>();
}

Result<HeaderList> SetRequest(CURL* easy, const HttpRequest& request, Duration connect_limit) {
  using std::chrono::milliseconds;
  Options options(easy);
  options.Set(CURLOPT_URL, request.url.c_str());
  options.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  options.Set(CURLOPT_FOLLOWLOCATION, 0L);
  options.Set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.Set(CURLOPT_SSL_VERIFYHOST, 2L);
  const char* const file = request.ca_file.empty() ? CaFile() : request.ca_file.c_str();
  if (file != nullptr) options.Set(CURLOPT_CAINFO, file);
  options.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Plain http is allowed because it does not leave the machine: it must not go to a proxy either.
  if (request.url.size() > 5 && g_ascii_strncasecmp(request.url.c_str(), "http:", 5) == 0) {
    options.Set(CURLOPT_NOPROXY, "*");
  }
  options.Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  const std::string agent = std::string("cloudflaredump/") + kVersion;
  options.Set(CURLOPT_USERAGENT, agent.c_str());
  options.Set(CURLOPT_NOSIGNAL, 1L);
  // A name look-up in its thread is left behind, so that a stop is never longer than a look-up.
  options.Set(CURLOPT_QUICK_EXIT, 1L);
  // Lets libcurl share the time among a host's addresses; the limit itself is CurlHttp's.
  const auto limit = std::chrono::ceil<milliseconds>(connect_limit) + milliseconds(1);
  options.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count()));
  options.Set(CURLOPT_BUFFERSIZE, 128L << 10);
  if (request.accept_gzip) {
    options.Set(CURLOPT_ACCEPT_ENCODING, "gzip");  // not a header of ours: it is not signed
    options.Set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  }
  SetMethod(options, request);
  SetSigning(options, request);
  HeaderList headers = Headers(request);
  options.Set(CURLOPT_HTTPHEADER, headers.get());
  if (options.code() != CURLE_OK) {
    return Fail(std::string("libcurl refuses the request: ") + curl_easy_strerror(options.code()));
  }
  return headers;
}

}  // namespace cloudflaredump::http
