// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/proxy.h"

#include <cstdlib>

#include "common/redact.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::http {
namespace {

void PasswordsOfProxiesAreSecret(void**) {
  setenv("HTTPS_PROXY", "http://office:planted-password-1@proxy.test:3128", 1);
  setenv("https_proxy", "office:planted-password-2@proxy.test", 1);
  setenv("all_proxy", "socks5h://office:planted@pass/word-3@proxy.test", 1);
  setenv("ALL_PROXY", "http://office:pw@[127", 1);
  RegisterProxySecrets();
  AssertText(Redact("planted-password-1 planted-password-2 planted@pass/word-3"),
             "[secret] [secret] [secret]");
  AssertText(Redact("cannot use http://office:pw@[127"), "cannot use http://[secret]@[127");
}

void AddressesWithoutOneAreNot(void**) {
  setenv("HTTPS_PROXY", "http://plain-proxy.test:3128", 1);
  setenv("https_proxy", "", 1);
  unsetenv("all_proxy");
  RegisterProxySecrets();
  AssertText(Redact("http://plain-proxy.test:3128"), "http://plain-proxy.test:3128");
}

}  // namespace
}  // namespace cloudflaredump::http

int main() {
  using namespace cloudflaredump::http;
  const CMUnitTest tests[] = {
      cmocka_unit_test(PasswordsOfProxiesAreSecret),
      cmocka_unit_test(AddressesWithoutOneAreNot),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
