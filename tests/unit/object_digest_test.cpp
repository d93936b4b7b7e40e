// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/object_digest.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

constexpr const char* kEtag = "\"900150983CD24FB0D6963F7D28E17F72\"";

void BytesInPiecesHaveTheirMd5(void**) {
  ObjectDigest digest;
  const std::string text = "abc";  // RFC 1321, A.5
  for (const char& c : text) digest.Add(std::as_bytes(std::span(&c, 1)));
  AssertText(digest.Take(), "900150983cd24fb0d6963f7d28e17f72");
  AssertText(digest.Take(), "d41d8cd98f00b204e9800998ecf8427e");  // it begins anew
}

void OnlyThirtyTwoHexDigitsLookLikeOne(void**) {
  assert_true(LooksLikeMd5(kEtag));
  assert_true(LooksLikeMd5("900150983cd24fb0d6963f7d28e17f72"));
  assert_false(LooksLikeMd5("\"900150983cd24fb0d6963f7d28e17f72-3\""));  // a multipart upload
  assert_false(LooksLikeMd5("\"900150983cd24fb0d6963f7d28e17f7g\""));
  assert_false(LooksLikeMd5(""));
}

void TheEtagOfAPlainObjectIsOne(void**) {
  AssertText(ToldMd5({.headers = {{"etag", kEtag}}}), "900150983cd24fb0d6963f7d28e17f72");
  AssertText(ToldMd5({.headers = {{"etag", kEtag}, {"x-amz-server-side-encryption", "AES256"}}}),
             "900150983cd24fb0d6963f7d28e17f72");
  AssertText(ToldMd5({.headers = {{"etag", "\"abc\""}}}), "");
  AssertText(ToldMd5({.headers = {{"etag", std::string("W/") + kEtag}}}), "");
  AssertText(ToldMd5({}), "");
}

void TheEtagOfAnObjectUnderAnotherKeyIsNone(void**) {
  const std::pair<std::string, std::string> kOtherwise[] = {
      {"x-amz-server-side-encryption", "aws:kms"},
      {"x-amz-server-side-encryption", "aws:kms:dsse"},
      {"x-amz-server-side-encryption-customer-algorithm", "AES256"},
      {"x-goog-encryption-kms-key-name", "projects/p"},
      {"x-goog-encryption-algorithm", "AES256"},
  };
  for (const auto& header : kOtherwise) {
    AssertText(ToldMd5({.headers = {{"etag", kEtag}, header}}), "");
  }
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(BytesInPiecesHaveTheirMd5),
      cmocka_unit_test(OnlyThirtyTwoHexDigitsLookLikeOne),
      cmocka_unit_test(TheEtagOfAPlainObjectIsOne),
      cmocka_unit_test(TheEtagOfAnObjectUnderAnotherKeyIsNone),
  };
  return cmocka_run_group_tests_name("object digest", tests, nullptr, nullptr);
}
