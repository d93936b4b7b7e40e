// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/curl_fault.h"

#include <glib.h>

#include <cerrno>

#include "common/text.h"

namespace cloudflaredump::http {
namespace {

constexpr auto kPassing = Error::Kind::kPassing;
constexpr auto kFinal = Error::Kind::kFinal;

/// ": why", from the system if it knows, else from libcurl; empty if neither does.
std::string Why(const CurlFault& fault) {
  if (fault.os_error != 0) {
    return ": " + CleanLine(g_strerror(static_cast<int>(fault.os_error)));
  }
  const std::string detail = CleanLine(fault.detail, 200);
  return detail.empty() ? std::string(": ") + curl_easy_strerror(fault.code) : ": " + detail;
}

Error Unreachable(const CurlFault& fault, const std::string& host) {
  return {.what = "cannot reach " + host + Why(fault),
          .remedy = fault.os_error == ECONNREFUSED
                        ? "nothing answers at that address, check it and any firewall or proxy"
                        : "check the network connection and any firewall or proxy",
          .kind = kPassing};
}

Error ProxyRefused(long status, const std::string& host) {
  const char* const remedy =
      status == 407
          ? "put its user and password into HTTPS_PROXY, as http://user:password@host:port"
      : status < 500 ? "ask who runs it, or name the host in NO_PROXY"
                     : "it cannot reach the host itself";
  return {.what = Format("the proxy on the way to %s answered HTTP %ld", host.c_str(), status),
          .remedy = remedy,
          .kind = status < 500 ? kFinal : kPassing};
}

/// Whether libcurl ended a transfer because a trailer line was longer than it takes, which its code
/// does not tell from a lost connection: "Out of memory in chunked-encoding".
bool HasTooLongTrailer(const CurlFault& fault) {
  return fault.code == CURLE_RECV_ERROR && fault.detail.starts_with("Out of memory") &&
         fault.detail.ends_with("in chunked-encoding");
}

Error TooManyHeaders(const std::string& host) {
  return {.what = host + " answered with more headers than make sense, or memory has run out",
          .remedy = "check the address and any proxy"};
}

}  // namespace

Error DescribeFault(const CurlFault& fault, const std::string& host) {
  if (fault.proxy_status >= 300) return ProxyRefused(fault.proxy_status, host);
  if (HasTooLongTrailer(fault)) return TooManyHeaders(host);
  switch (fault.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {.what = "cannot find the address of " + host,
              .remedy = "check the name and the network connection",
              .kind = kPassing};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {.what = "cannot find the address of the proxy for " + host,
              .remedy = "check HTTPS_PROXY, https_proxy and ALL_PROXY",
              .kind = kPassing};
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return Unreachable(fault, host);
    case CURLE_GOT_NOTHING:
      return {.what = host + " closed the connection without an answer", .kind = kPassing};
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return {.what = (fault.began ? "the answer of " + host + " was cut short"
                                   : "the connection to " + host + " was lost") +
                      Why(fault),
              .kind = kPassing};
    case CURLE_SSL_CONNECT_ERROR:
      // A connection that is cut during the handshake looks like this too.
      return {.what = "cannot agree on an encrypted connection with " + host + Why(fault),
              .kind = kPassing};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {.what = "the certificate of " + host + " cannot be verified" + Why(fault),
              .remedy =
                  "if your network inspects TLS, name the file of its certificate authority "
                  "in CURL_CA_BUNDLE"};
    case CURLE_SSL_CACERT_BADFILE:
      return {.what = "the file of certificate authorities cannot be used" + Why(fault),
              .remedy = "check CURL_CA_BUNDLE, SSL_CERT_FILE and, for S3, AWS_CA_BUNDLE"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return {.what = "what " + host + " answered is not HTTP" + Why(fault),
              .remedy = "check the address"};
    case CURLE_OUT_OF_MEMORY:  // also what libcurl before 8.6 says of a header line over 100 KiB
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
      return TooManyHeaders(host);
    default:
      return {.what = "the transfer from " + host + " failed" + Why(fault)};
  }
}

}  // namespace cloudflaredump::http
