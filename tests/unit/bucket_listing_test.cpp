// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/text.h"
#include "extcap/bucket/listing.h"
#include "extcap/bucket/xml_walk.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

const std::string kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>";

std::string Object(const std::string& key, const std::string& size = "5") {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-11-23T06:20:00.000Z</LastModified>"
         "<ETag>&quot;e1&quot;</ETag><Size>" +
         size +
         "</Size><StorageClass>STANDARD"
         "</StorageClass><Owner><ID>1</ID><Key>not this</Key></Owner></Contents>";
}

ListingPage Parsed(const std::string& inner) {
  const Result<ListingPage> page = ParseListing(kHead + inner + "</ListBucketResult>");
  if (!page) fail_msg("%s", SentenceOf(page.error()).c_str());
  return *page;
}

void AssertRefused(const std::string& xml) {
  if (ParseListing(xml)) fail_msg("taken: %s", xml.substr(0, 200).c_str());
}

void ObjectsAreRead(void**) {
  const ListingPage page = Parsed(
      "<IsTruncated>true</IsTruncated>\n <NextContinuationToken>a+/=</NextContinuationToken>" +
      Object("d/pcap_1.pcap", "1000000000000") + "\n" + Object("x&amp;&#xe9;<![CDATA[<&>]]>") +
      "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>");
  assert_true(page.truncated);
  AssertText(page.continuation_token, "a+/=");
  assert_int_equal(page.objects.size(), 2);
  AssertText(page.objects[0].key, "d/pcap_1.pcap");
  assert_true(page.objects[0].size == 1000000000000);
  AssertText(page.objects[0].etag, "\"e1\"");
  AssertText(page.objects[1].key, "x&\xc3\xa9<&>");
}

void EncodedKeysAreDecoded(void**) {
  const std::string encoded = "a%2Bb+c%20d/%01%0A%C3%A9%25/e";
  AssertText(Parsed("<EncodingType>url</EncodingType>" + Object(encoded)).objects[0].key,
             "a+b c d/\x01\n\xc3\xa9%/e");
  AssertText(Parsed(Object(encoded) + "<EncodingType>url</EncodingType>").objects[0].key,
             "a+b c d/\x01\n\xc3\xa9%/e");
  AssertText(Parsed(Object(encoded)).objects[0].key, encoded);
  AssertRefused(kHead + "<EncodingType>url</EncodingType>" + Object("100%") +
                "</ListBucketResult>");
}

void EmptyListingIsOne(void**) {
  const ListingPage page = Parsed("<IsTruncated>false</IsTruncated>");
  assert_true(page.objects.empty());
  assert_false(page.truncated);
  assert_true(ParseListing("<ListBucketResult/>").has_value());
}

void AnythingElseIsRefused(void**) {
  AssertRefused("");
  AssertRefused("{\"objects\": []}");
  AssertRefused("<html><body>Login</body></html>");
  AssertRefused("<Error><Code>AccessDenied</Code></Error>");
  AssertRefused(kHead);
  AssertRefused(kHead + Object("k"));
  AssertRefused(kHead + Object("k") + "</ListBucketResult><x/>");
  AssertRefused(kHead + Object("k", "-1") + "</ListBucketResult>");
  AssertRefused(kHead + Object("k", "99999999999999999999") + "</ListBucketResult>");
  AssertRefused(kHead + "<Contents><Size>1</Size></Contents></ListBucketResult>");
  AssertRefused(kHead + "<Contents><Key>a</Key></Contents></ListBucketResult>");
  AssertRefused(kHead + Object("") + "</ListBucketResult>");
}

void EveryCutIsRefused(void**) {
  const std::string xml = kHead + Object("k") + "</ListBucketResult>";
  for (std::size_t cut = 0; cut < xml.size(); ++cut) AssertRefused(xml.substr(0, cut));
  assert_true(ParseListing(xml).has_value());
}

void NothingIsFetchedOrExpanded(void**) {
  const std::string body = "<ListBucketResult>" + Object("&e;") + "</ListBucketResult>";
  AssertRefused("<!DOCTYPE x [<!ENTITY e \"lots\">]>" + body);
  AssertRefused("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" + body);
  AssertRefused("<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\"><ListBucketResult/>");
  AssertRefused(body);
  std::string laughs = "<!DOCTYPE x [<!ENTITY e0 \"ha\">";
  for (int i = 1; i < 30; ++i) {
    laughs += Format("<!ENTITY e%d \"&e%d;&e%d;\">", i, i - 1, i - 1);
  }
  AssertRefused(laughs + "]><ListBucketResult>&e29;</ListBucketResult>");
}

void DepthAndLengthAreBounded(void**) {
  std::string open;
  std::string close;
  for (int i = 0; i < 40; ++i) {
    open += "<a>";
    close += "</a>";
  }
  AssertRefused(kHead + open + close + "</ListBucketResult>");
  AssertRefused(kHead + Object(std::string((1 << 20) + 1, 'k')) + "</ListBucketResult>");
  std::string many = kHead;
  while (many.size() <= (4U << 20)) many += Object("k");
  AssertRefused(many + "</ListBucketResult>");
}

/// libxml2 compares each attribute with all before it.
void TagsAreBounded(void**) {
  const auto with_attributes = [](int count) {
    std::string tag = "<ListBucketResult";
    for (int i = 0; i < count; ++i) tag += Format(" a%d=''", i);
    return tag + ">" + Object("k") + "</ListBucketResult>";
  };
  assert_true(ParseListing(with_attributes(100)).has_value());
  AssertRefused(with_attributes(10000));
  AssertRefused("<ListBucketResult " + std::string(70000, ' '));
  AssertRefused("<ListBucketResult a='>' " + std::string(70000, ' ') + "/>");
}

void WalkTellsPathsAndTexts(void**) {
  std::string told;
  const auto tell = [&](std::string_view path, const std::string& text) {
    told.append(path).append("=").append(text).append(";");
  };
  assert_true(WalkXml("<a><n:b xmlns:n='u'>1<c/>2</n:b> <b>3</b></a>", tell).has_value());
  AssertText(told, "/a/b/c=;/a/b=12;/a/b=3;/a= ;");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ObjectsAreRead),           cmocka_unit_test(EncodedKeysAreDecoded),
      cmocka_unit_test(EmptyListingIsOne),        cmocka_unit_test(AnythingElseIsRefused),
      cmocka_unit_test(EveryCutIsRefused),        cmocka_unit_test(NothingIsFetchedOrExpanded),
      cmocka_unit_test(DepthAndLengthAreBounded), cmocka_unit_test(TagsAreBounded),
      cmocka_unit_test(WalkTellsPathsAndTexts),
  };
  return cmocka_run_group_tests_name("bucket listing", tests, nullptr, nullptr);
}
