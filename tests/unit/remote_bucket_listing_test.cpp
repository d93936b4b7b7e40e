// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/remote_bucket_fixture.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;
using Scene = RemoteBucketFixture;
using Kind = Error::Kind;

void ObjectsBelowTheDirectoryAreListedOverAllPages(void**) {
  for (const bool tokens : {true, false}) {
    Scene scene;
    AssertText(scene.bucket->directory(), "dir/");
    scene.store.page_size = 3;
    scene.store.gives_tokens = tokens;
    std::vector<std::string> want;
    for (int i = 0; i < 20; ++i) {
      const std::string key = Format("dir/%02d +&=%%?#\xc3\xa9/", i) + kId + ".pcap";
      scene.Add(key, "x");
      want.push_back(key);
      scene.Add(Format("dir2/%02d other", i), "x");
      scene.Add(Format("dir-old/%02d other", i), "x");
    }
    scene.Add("elsewhere/" + kId, "x");
    scene.Add("dir", "x");
    scene.Add("dir/", "");  // placeholders of folders
    scene.Add("dir/" + kId + "/", "");
    std::vector<std::string> got;
    for (const StoredObject& object : scene.List()) got.push_back(object.key);
    assert_true(std::ranges::is_sorted(got));
    std::ranges::sort(want);
    assert_true(got == want);
    assert_int_equal(scene.store.listings,
                     (22 + 2) / 3);  // nothing beside the directory is asked for
  }
}

void KeysBeginWithThePrefix(void**) {
  Scene scene;
  for (const char* const key : {"dir/pcap_7.pcap", "dir/pcap_70.pcap", "dir/pcap_8.pcap",
                                "dir/a/pcap_7.pcap", "pcap_7.pcap", "dirpcap_7.pcap"}) {
    scene.Add(key, "x");
  }
  const std::vector<StoredObject> found = scene.List("pcap_7");
  assert_int_equal(found.size(), 2);
  AssertText(found[0].key, "dir/pcap_7.pcap");
  AssertText(found[1].key, "dir/pcap_70.pcap");
  AssertContains(scene.http.requests.back().url, "prefix=dir%2Fpcap_7");
}

void ProbeAsksForOneKey(void**) {
  Scene scene;
  for (int i = 0; i < 5; ++i) scene.Add(Format("dir/%d", i), "x");
  assert_true(scene.bucket->Probe(kGoOn).has_value());
  assert_int_equal(scene.http.requests.size(), 1);
  AssertText(scene.http.requests[0].url,
             "https://pcaps.s3.eu-west-3.amazonaws.com/"
             "?encoding-type=url&list-type=2&max-keys=1&prefix=dir%2F");
  Scene denied;
  denied.http.Answer("GET", "*",
                     {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"});
  AssertContains(SentenceOf(denied.bucket->Probe(kGoOn).error()), "may not list the bucket pcaps");
}

/// A page of a listing, with the objects in `contents` and a token for the next one.
std::string Page(const std::string& contents, const std::string& token) {
  return "<ListBucketResult>" + contents + "<IsTruncated>" + (token.empty() ? "false" : "true") +
         "</IsTruncated><NextContinuationToken>" + token +
         "</NextContinuationToken></ListBucketResult>";
}

std::string Contents(const std::string& key) {
  return "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
}

void APageWithoutObjectsGoesOnByItsToken(void**) {
  Scene scene;
  scene.http.Answer("GET", "*", {.body = Page("", "t1")});
  scene.http.Answer("GET", "*", {.body = Page("", "t2")});
  scene.http.Answer("GET", "*", {.body = Page(Contents("dir/a"), "t3")});
  scene.http.Answer("GET", "*", {.body = Page("", "t4")});
  scene.http.Answer("GET", "*", {.body = Page(Contents("dir/b"), "")});
  const std::vector<StoredObject> found = scene.List();
  assert_int_equal(found.size(), 2);
  const char* const ends[] = {"", "continuation-token=t1", "continuation-token=t2",
                              "start-after=dir%2Fa", "continuation-token=t4"};
  for (std::size_t i = 0; i < std::size(ends); ++i) {
    AssertContains(scene.http.requests[i].url, ends[i]);
  }
}

void AKeyOnTwoPagesIsOneObject(void**) {
  Scene scene;
  scene.http.Answer("GET", "*", {.body = Page(Contents("dir/a") + Contents("dir/b"), "t1")});
  scene.http.Answer("GET", "*", {.body = Page(Contents("dir/b") + Contents("dir/c"), "")});
  const std::vector<StoredObject> found = scene.List();
  assert_int_equal(found.size(), 3);
  AssertText(found[1].key, "dir/b");
}

void PagesWithoutEndAreBounded(void**) {
  Scene scene;
  scene.http.Answer("GET", "*", {.body = Page("", "again")});
  AssertContains(SentenceOf(scene.ListError()), "too many objects below dir/");
  assert_int_equal(scene.http.requests.size(), Bucket::kMostPages);
}

void ObjectsWithoutEndAreBounded(void**) {
  Scene scene;
  constexpr std::size_t kPage = 50'000;
  std::size_t pages = 0;
  scene.http.Serve("GET", "*", [&](const http::HttpRequest&) {
    std::string contents;
    for (std::size_t i = 0; i < kPage; ++i)
      contents += Contents(Format("dir/%09zu", pages * kPage + i));
    ++pages;
    return FakeAnswer{.body = Page(contents, "t")};
  });
  const Error error = scene.ListError();
  AssertContains(SentenceOf(error), "the bucket pcaps has too many objects below dir/");
  AssertContains(SentenceOf(error), "write captures into a directory of their own");
  assert_int_equal(pages, Bucket::kMostObjects / kPage + 1);
}

void PlusIsNotSentInAQueryWhereItCanBeHelped(void**) {
  Scene scene("s3://pcaps/a+b?region=eu-west-3");
  scene.store.page_size = 1;
  for (int i = 0; i < 5; ++i) scene.Add(Format("a+b/%d-", i) + kId, "x");
  scene.Add("a+c/" + kId, "x");
  assert_int_equal(scene.List().size(), 5);
  bool plus = false;
  for (const http::HttpRequest& request : scene.http.requests) {
    plus = plus || request.url.find("prefix=a%2B") != std::string::npos;
  }
  assert_false(plus);
}

void ListingThatGoesInCirclesEnds(void**) {
  Scene scene;
  scene.http.Answer("GET", "*",
                    {.body = "<ListBucketResult><IsTruncated>true</IsTruncated>"
                             "<Contents><Key>dir/a</Key><Size>1</Size></Contents>"
                             "</ListBucketResult>"});
  AssertContains(SentenceOf(scene.ListError()), "sends the same keys again");
  Scene empty;
  empty.http.Answer("GET", "*",
                    {.body = "<ListBucketResult><IsTruncated>true</IsTruncated>"
                             "</ListBucketResult>"});
  AssertContains(SentenceOf(empty.ListError()), "does not come to an end");
}

void ListingIsTriedAgainWhileItMayHelp(void**) {
  Scene scene;
  scene.http.Answer("GET", "*list-type*", {.status = 503, .headers = {{"retry-after", "7"}}});
  scene.http.Answer("GET", "*list-type*",
                    {.fault = Error{.what = "reset", .kind = Kind::kPassing}});
  scene.http.Answer("GET", "*list-type*", {.body = "<ListBucketResult/>"});
  assert_true(scene.List().empty());
  assert_true(scene.loop.Steady() - system::SteadyTime() >= 7s + 500ms);
}

void ListingGivesUpWithTheStoresWords(void**) {
  Scene scene;
  scene.http.Answer("GET", "*", {.status = 503, .body = "<Error><Code>SlowDown</Code></Error>"});
  AssertContains(SentenceOf(scene.ListError()), "Amazon S3 answered 503 SlowDown");
  assert_true(scene.loop.Steady() - system::SteadyTime() > 5min);
  Scene denied;
  denied.http.Answer("GET", "*",
                     {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"});
  AssertContains(SentenceOf(denied.ListError()), "may not list the bucket pcaps");
  assert_int_equal(denied.http.requests.size(), 1);
  Scene html;
  html.http.Answer("GET", "*", {.body = "<html><body>Please log in</body></html>"});
  AssertContains(SentenceOf(html.ListError()), "cannot be read as the listing of pcaps");
}

void StopEndsTheListing(void**) {
  Scene scene;
  scene.http.Answer("GET", "*", {.status = 503});
  bool stop = false;
  scene.loop.CallAt(scene.loop.Steady() + 3s, [&] { stop = true; });
  const auto objects = scene.bucket->List("", [&] { return stop; });
  assert_true(objects.error().kind == Kind::kInterrupted);
  assert_true(scene.loop.Steady() - system::SteadyTime() == 3s);
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ObjectsBelowTheDirectoryAreListedOverAllPages),
      cmocka_unit_test(KeysBeginWithThePrefix),
      cmocka_unit_test(ProbeAsksForOneKey),
      cmocka_unit_test(APageWithoutObjectsGoesOnByItsToken),
      cmocka_unit_test(AKeyOnTwoPagesIsOneObject),
      cmocka_unit_test(PagesWithoutEndAreBounded),
      cmocka_unit_test(ObjectsWithoutEndAreBounded),
      cmocka_unit_test(PlusIsNotSentInAQueryWhereItCanBeHelped),
      cmocka_unit_test(ListingThatGoesInCirclesEnds),
      cmocka_unit_test(ListingIsTriedAgainWhileItMayHelp),
      cmocka_unit_test(ListingGivesUpWithTheStoresWords),
      cmocka_unit_test(StopEndsTheListing),
  };
  return cmocka_run_group_tests_name("listing of a remote bucket", tests, nullptr, nullptr);
}
