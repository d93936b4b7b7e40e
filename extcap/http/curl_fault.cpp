// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/curl_fault.h"

#include <glib.h>

#include <cerrno>

#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

constexpr auto kTransient = Error::Kind::kTransient;
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
  const char* const hint =
      fault.os_error == ECONNREFUSED
          ? "; nothing answers at that address, check it and any firewall or proxy"
          : "; check the network connection and any firewall or proxy";
  return {"cannot reach " + host + Why(fault) + hint, kTransient};
}

Error ProxyRefused(long status, const std::string& host) {
  const std::string said =
      Format("the proxy on the way to %s answered HTTP %ld", host.c_str(), status);
  if (status == 407) {
    return {
        said + "; put its user and password into HTTPS_PROXY, as http://user:password@host:port",
        kFinal};
  }
  if (status < 500) return {said + "; ask who runs it, or name the host in NO_PROXY", kFinal};
  return {said + "; it cannot reach the host itself", kTransient};
}

}  // namespace

Error DescribeFault(const CurlFault& fault, const std::string& host) {
  if (fault.proxy_status >= 300) return ProxyRefused(fault.proxy_status, host);
  switch (fault.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {"cannot find the address of " + host + "; check the name and the network connection",
              kTransient};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {"cannot find the address of the proxy for " + host +
                  "; check HTTPS_PROXY, https_proxy and ALL_PROXY",
              kTransient};
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return Unreachable(fault, host);
    case CURLE_GOT_NOTHING:
      return {host + " closed the connection without an answer", kTransient};
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return {(fault.began ? "the answer of " + host + " was cut short"
                           : "the connection to " + host + " was lost") +
                  Why(fault),
              kTransient};
    case CURLE_SSL_CONNECT_ERROR:
      // A connection that is cut during the handshake looks like this too.
      return {"cannot agree on an encrypted connection with " + host + Why(fault), kTransient};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {"the certificate of " + host + " cannot be verified" + Why(fault) +
                  "; if your network inspects TLS, name the file of its certificate authority in "
                  "CURL_CA_BUNDLE",
              kFinal};
    case CURLE_SSL_CACERT_BADFILE:
      return {"the file of certificate authorities cannot be used" + Why(fault) +
                  "; check CURL_CA_BUNDLE and SSL_CERT_FILE",
              kFinal};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return {"what " + host + " answered is not HTTP" + Why(fault) + "; check the address",
              kFinal};
    case CURLE_OUT_OF_MEMORY:
      return {"not enough memory for a transfer from " + host, kFinal};
    default:
      return {"the transfer from " + host + " failed" + Why(fault), kFinal};
  }
}

}  // namespace cloudflaredump
