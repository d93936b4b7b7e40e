// SPDX-License-Identifier: GPL-2.0-or-later
// CurlHttp against an https server with certificates of the test's own making.
#include <glib/gstdio.h>
#include <microhttpd.h>

#include <memory>

#include "extcap/http/curl_http.h"
#include "extcap/system/glib_event_loop.h"
#include "tests/unit/raw_server.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::http {
namespace {

const auto kGoOn = [] { return false; };

std::string ReadFile(const std::string& path) {
  char* raw = nullptr;
  gsize size = 0;
  assert_true(g_file_get_contents(path.c_str(), &raw, &size, nullptr));
  std::string text(raw, size);
  g_free(raw);
  return text;
}

/// A key and a self-made certificate in files of a folder that goes with the object.
class Certificate {
 public:
  explicit Certificate(const std::string& names) {
    char* const folder = g_dir_make_tmp("cfd-tls-XXXXXX", nullptr);
    assert_non_null(folder);
    folder_ = folder;
    g_free(folder);
    const std::string alt = "subjectAltName=" + names;
    const char* const argv[] = {"openssl", "req",      "-x509", "-newkey",  "rsa:2048", "-nodes",
                                "-subj",   "/CN=test", "-days", "2",        "-addext",  alt.c_str(),
                                "-keyout", "key.pem",  "-out",  "cert.pem", nullptr};
    int status = 1;
    made_ = g_spawn_sync(folder_.c_str(), const_cast<char**>(argv), nullptr,
                         static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL),
                         nullptr, nullptr, nullptr, nullptr, &status, nullptr) &&
            g_spawn_check_wait_status(status, nullptr);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() {
    g_remove(key_file().c_str());
    g_remove(file().c_str());
    g_rmdir(folder_.c_str());
  }

  bool made() const { return made_; }
  std::string file() const { return folder_ + "/cert.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
  bool made_ = false;
};

MHD_Result AnswerHello(void*, MHD_Connection* connection, const char*, const char*, const char*,
                       const char*, std::size_t*, void**) {
  char hello[] = "hello";
  MHD_Response* const response =
      MHD_create_response_from_buffer(sizeof hello - 1, hello, MHD_RESPMEM_MUST_COPY);
  const MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return queued;
}

/// An https server on 127.0.0.1 that says hello.
class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate)
      : key_(ReadFile(certificate.key_file())), cert_(ReadFile(certificate.file())) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_ = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, nullptr, nullptr, AnswerHello, nullptr,
        MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&address), MHD_OPTION_HTTPS_MEM_KEY,
        key_.c_str(), MHD_OPTION_HTTPS_MEM_CERT, cert_.c_str(), MHD_OPTION_END);
    assert_non_null(daemon_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() { MHD_stop_daemon(daemon_); }

  std::string Url(const std::string& host) const {
    const int port = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
    return "https://" + host + ":" + std::to_string(port) + "/";
  }

 private:
  std::string key_;
  std::string cert_;
  MHD_Daemon* daemon_ = nullptr;
};

Result<HttpAnswer> Get(const std::string& url, const std::string& ca_file = "") {
  system::GlibEventLoop loop;
  CurlHttp http(loop);
  HttpRequest request;
  request.url = url;
  request.ca_file = ca_file;
  return Fetch(http, loop, request, kGoOn);
}

/// Skips the test, with a word, on a machine without the openssl program.
std::unique_ptr<Certificate> MakeCertificate(const std::string& names) {
  auto certificate = std::make_unique<Certificate>(names);
  if (!certificate->made()) {
    print_message("skipped: no certificate, because the openssl program is missing or too old\n");
    skip();
  }
  return certificate;
}

void UnknownAuthorityIsRefused(void**) {
  const auto certificate = MakeCertificate("DNS:localhost,IP:127.0.0.1");
  const TlsServer server(*certificate);
  const Result<HttpAnswer> answer = Get(server.Url("127.0.0.1"));
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kFinal);
  AssertContains(SentenceOf(answer.error()), "the certificate of 127.0.0.1:");
  AssertContains(SentenceOf(answer.error()), "CURL_CA_BUNDLE");
}

void AuthorityOfTheEnvironmentIsTrusted(void**) {
  const auto certificate = MakeCertificate("DNS:localhost,IP:127.0.0.1");
  const TlsServer server(*certificate);
  for (const char* const variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    setenv(variable, certificate->file().c_str(), 1);
    for (const char* const host : {"127.0.0.1", "localhost"}) {
      const Result<HttpAnswer> answer = Get(server.Url(host));
      if (!answer) fail_msg("%s: %s", variable, SentenceOf(answer.error()).c_str());
      AssertText(answer->body, "hello");
    }
    unsetenv(variable);
  }
}

void CurlsVariableComesFirst(void**) {
  const auto certificate = MakeCertificate("IP:127.0.0.1");
  const TlsServer server(*certificate);
  setenv("CURL_CA_BUNDLE", certificate->file().c_str(), 1);
  setenv("SSL_CERT_FILE", "/nonexistent", 1);
  assert_true(Get(server.Url("127.0.0.1")).has_value());
  unsetenv("CURL_CA_BUNDLE");
  unsetenv("SSL_CERT_FILE");
}

/// AWS_CA_BUNDLE is for S3's requests, not for those to Cloudflare in the same process.
void ARequestMayHaveItsOwnAuthorities(void**) {
  const auto certificate = MakeCertificate("IP:127.0.0.1");
  const TlsServer server(*certificate);
  setenv("CURL_CA_BUNDLE", "/nonexistent", 1);
  assert_true(Get(server.Url("127.0.0.1"), certificate->file()).has_value());
  assert_false(Get(server.Url("127.0.0.1")).has_value());
  unsetenv("CURL_CA_BUNDLE");
}

void NameInTheCertificateMustBeTheHosts(void**) {
  const auto certificate = MakeCertificate("DNS:other.test");
  const TlsServer server(*certificate);
  setenv("CURL_CA_BUNDLE", certificate->file().c_str(), 1);
  const Result<HttpAnswer> answer = Get(server.Url("127.0.0.1"));
  unsetenv("CURL_CA_BUNDLE");
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kFinal);
  AssertContains(SentenceOf(answer.error()), "cannot be verified");
}

void MissingAuthorityFileIsSaid(void**) {
  const auto certificate = MakeCertificate("IP:127.0.0.1");
  const TlsServer server(*certificate);
  setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1);
  const Result<HttpAnswer> answer = Get(server.Url("127.0.0.1"));
  unsetenv("SSL_CERT_FILE");
  assert_false(answer.has_value());
  assert_true(answer.error().kind == Error::Kind::kFinal);
  AssertContains(SentenceOf(answer.error()), "/nonexistent/ca.pem");
}

void ServerWithoutTlsIsSaid(void**) {
  RawServer server([](RawConnection& connection) {
    connection.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    connection.WaitForClose();
  });
  const Result<HttpAnswer> answer = Get("https" + server.Url().substr(4));
  assert_false(answer.has_value());
  AssertContains(SentenceOf(answer.error()), "cannot agree on an encrypted connection");
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  for (const char* const variable : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                     "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    unsetenv(variable);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(UnknownAuthorityIsRefused),
      cmocka_unit_test(AuthorityOfTheEnvironmentIsTrusted),
      cmocka_unit_test(CurlsVariableComesFirst),
      cmocka_unit_test(ARequestMayHaveItsOwnAuthorities),
      cmocka_unit_test(NameInTheCertificateMustBeTheHosts),
      cmocka_unit_test(MissingAuthorityFileIsSaid),
      cmocka_unit_test(ServerWithoutTlsIsSaid),
  };
  return cmocka_run_group_tests_name("CurlHttp and TLS", tests, nullptr, nullptr);
}
