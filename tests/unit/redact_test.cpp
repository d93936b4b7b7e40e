// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"

#include "common/text.h"
#include "tests/unit/results.h"

namespace cloudflaredump {
namespace {

// Secrets are registered for the whole process: each test has its own.

void EveryPlaceIsReplaced(void**) {
  RegisterSecret("cfut_first0123456789");
  AssertText(Redact("a cfut_first0123456789, again: cfut_first0123456789cfut_first0123456789"),
             "a [secret], again: [secret][secret]");
}

void OtherTextStaysAsItIs(void**) {
  RegisterSecret("cfut_other0123456789");
  AssertText(Redact("cfut_othe 0123456789, naïve\n"), "cfut_othe 0123456789, naïve\n");
  AssertText(Redact(""), "");
}

void EncodedFormsAreReplacedToo(void**) {
  const std::string secret = "wJalr/K7MD+ENG/bPx=RfiCY";
  RegisterSecret(secret);
  AssertText(Redact("?key=" + PercentEncode(secret)), "?key=[secret]");
  AssertText(Redact("/path/" + PercentEncode(secret, "/")), "/path/[secret]");
  AssertText(Redact("\"" + secret + "\""), "\"[secret]\"");
  // Servers encode in small letters, and not always the same.
  AssertText(Redact("wJalr%2fK7MD%2bENG%2fbPx%3dRfiCY."), "[secret].");
  AssertText(Redact("wJalr/K7MD%2bENG/bPx%3DRfiC%59."), "[secret].");
  AssertText(Redact("wJalr%2fK7MD%2bENG"), "wJalr%2fK7MD%2bENG");
  RegisterSecret("100%25sure%");
  AssertText(Redact("100%25sure%, 100%2525sure%25"), "[secret], [secret]");
}

/// A key of a bucket that has an encoded secret is encoded once more in a request's address.
void WhatIsEncodedAgainIsReplacedToo(void**) {
  const std::string secret = "again/+%41=%25%2";
  RegisterSecret(secret);
  std::string text = secret;
  for (int times = 0; times < 5; ++times) {
    AssertText(Redact("<" + text + ">"), "<[secret]>");
    text = PercentEncode(text);
  }
  AssertText(Redact("%2525252"), "%2525252");
  std::string named = "X-Amz-Signature=abc&next=1";
  for (int times = 0; times < 3; ++times) {
    const std::string redacted = Redact(named);
    assert_true(redacted.find("abc") == std::string::npos);
    AssertContains(redacted, "next");
    named = PercentEncode(named);
  }
  AssertText(Redact("y%3Fsecret-access-key%3Da%2Bb%26c"), "y%3Fsecret-access-key%3D[secret]%26c");
}

/// Not in the time of its square.
void ASecretThatFillsATextIsReplacedEachTime(void**) {
  RegisterSecret("filling");
  std::string text;
  std::string shown;
  for (int i = 0; i < 200'000; ++i) {
    text += "filling%66illing";
    shown += "[secret][secret]";
  }
  assert_true(Redact(text) == shown);
}

void NamesTellSecretsOfOthers(void**) {
  AssertText(Redact("https://b.test/k?X-Amz-Signature=abc123&x=1 is gone"),
             "https://b.test/k?X-Amz-Signature=[secret]&x=1 is gone");
  AssertText(Redact("\"authorization: Bearer abc def\" is wrong"),
             "\"authorization: [secret]\" is wrong");
  AssertText(Redact("r2://b?secret-access-key=abc, secret-access-key="),
             "r2://b?secret-access-key=[secret], secret-access-key=");
}

void SecretsInsideSecretsLeaveNoRest(void**) {
  RegisterSecret("inner0123");
  RegisterSecret("outer-inner0123-outer");
  AssertText(Redact("x outer-inner0123-outer y inner0123 z"), "x [secret] y [secret] z");
}

void ShortTextsAreNoSecrets(void**) {
  RegisterSecret("");
  RegisterSecret("abcde");
  AssertText(Redact("abcde"), "abcde");
  RegisterSecret("abcdeF");
  AssertText(Redact("abcdeF"), "[secret]");
}

void AnAddressIsShownWithoutItsKeys(void**) {
  AssertText(
      RedactAddress("r2://b?account-id=abc&access-key-id=plantedid&secret-access-key=planted"),
      "r2://b?account-id=abc&access-key-id=[secret]&secret-access-key=[secret]");
  AssertText(RedactAddress("what?secret=planted&x=1&?token=planted"),
             "what?secret=[secret]&x=1&?token=[secret]");
  AssertText(RedactAddress("secret-access-key=planted"), "secret-access-key=[secret]");
  AssertText(RedactAddress("s3://b?region=a;Secret-Access-Key=planted&X-Amz-Signature=planted"),
             "s3://b?region=a;Secret-Access-Key=[secret]&X-Amz-Signature=[secret]");
  AssertText(RedactAddress("https://user:planted@host:1/x@y"), "https://[secret]@host:1/x@y");
  AssertText(RedactAddress("s3://AKIA:plan/ted@bucket/d"), "s3://[secret]@bucket/d");
  for (const char* const text : {"", "/folder/key", "s3://key/a?region=b", "s3://tokens/a=b",
                                 "http://127.0.0.1:80/a@b", "http://[::1]:80/a@b", "s3://b/a@c"}) {
    AssertText(RedactAddress(text), text);
  }
}

void AnAddressWithoutItsKeysIsAsItWas(void**) {
  AssertText(DropKeys("r2://b?account-id=a&access-key-id=k&secret-access-key=s&jurisdiction=eu"),
             "r2://b?account-id=a&jurisdiction=eu");
  AssertText(DropKeys("r2://b/d?access-key-id=k&account-id=a"), "r2://b/d?account-id=a");
  AssertText(DropKeys("r2://b?access-key-id=k"), "r2://b");
  for (const char* const text : {"", "s3://b/d?region=a&sse=AES256", "gs://b", "file:///a?b"}) {
    AssertText(DropKeys(text), text);
  }
}

void KeysOfAnAddressAreRegistered(void**) {
  RegisterSecretsIn(
      "r2://b?account-id=accountabc&access-key-id=keyid0123&secret-access-key=a%2Fkey0123");
  AssertText(Redact("x keyid0123 y a/key0123 z a%2Fkey0123 accountabc"),
             "x [secret] y [secret] z [secret] accountabc");
}

void WipeLeavesNothingOfTheText(void**) {
  char text[] = "--api-token=cfut_wiped";
  Wipe(text + 12);
  AssertText(std::string(text, sizeof text), "--api-token=" + std::string(11, '\0'));
  for (std::size_t i = 12; i < sizeof text; ++i) assert_int_equal(text[i], 0);
}

void WipeBytesReachesBehindAZero(void**) {
  std::string text("planted\0planted\0", 16);
  WipeBytes(std::span(text).first(15));
  AssertText(text, std::string(16, '\0'));
  WipeBytes({});
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPlaceIsReplaced),
      cmocka_unit_test(OtherTextStaysAsItIs),
      cmocka_unit_test(EncodedFormsAreReplacedToo),
      cmocka_unit_test(WhatIsEncodedAgainIsReplacedToo),
      cmocka_unit_test(ASecretThatFillsATextIsReplacedEachTime),
      cmocka_unit_test(NamesTellSecretsOfOthers),
      cmocka_unit_test(SecretsInsideSecretsLeaveNoRest),
      cmocka_unit_test(ShortTextsAreNoSecrets),
      cmocka_unit_test(AnAddressIsShownWithoutItsKeys),
      cmocka_unit_test(AnAddressWithoutItsKeysIsAsItWas),
      cmocka_unit_test(KeysOfAnAddressAreRegistered),
      cmocka_unit_test(WipeLeavesNothingOfTheText),
      cmocka_unit_test(WipeBytesReachesBehindAZero),
  };
  return cmocka_run_group_tests_name("redact", tests, nullptr, nullptr);
}
