// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/remote_bucket_fixture.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;
using Scene = RemoteBucketFixture;
using Kind = Error::Kind;

void ListingIsSignedForTheBucketsHostAndRegion(void**) {
  Scene scene;
  scene.List();
  const http::HttpRequest& sent = scene.http.requests.front();
  AssertText(sent.url,
             "https://pcaps.s3.eu-west-3.amazonaws.com/"
             "?encoding-type=url&list-type=2&prefix=dir%2F");
  AssertText(sent.sigv4->access_key_id, "AKIA1");
  AssertText(sent.sigv4->secret_access_key, "secret1");
  AssertText(sent.sigv4->session_token, "token1");
  AssertText(sent.sigv4->region, "eu-west-3");
  AssertText(sent.sigv4->service, "s3");
  assert_true(sent.headers.empty());
}

void GoogleAndR2AreSignedAsTheyWantIt(void**) {
  BucketSettings settings;
  settings.keys.gcs = {.access_key_id = "GOOG1", .secret_access_key = "secret3", .source = "GCS"};
  Scene google("gs://pcaps", "https://storage.googleapis.com/pcaps", {}, settings);
  google.List();
  AssertText(google.http.requests[0].url,
             "https://storage.googleapis.com/pcaps/?encoding-type=url&list-type=2&prefix=");
  AssertText(google.http.requests[0].sigv4->region, "auto");
  Scene r2("r2://pcaps?account-id=abc&access-key-id=i&secret-access-key=secret2",
           "https://abc.r2.cloudflarestorage.com/pcaps");
  r2.List();
  AssertText(r2.http.requests[0].sigv4->region, "auto");
  AssertText(r2.http.requests[0].sigv4->secret_access_key, "secret2");
}

/// Temporary keys that AWS's tool exported, in the middle of a fetch that takes hours.
void KeysThatEndAreRenewedBetweenRequests(void**) {
  FakeTool tool;
  tool.Prints(ProcessKeys("ASIA1", "secret1", "token1", "2026-11-23T07:20:00Z"));
  tool.Prints(ProcessKeys("ASIA2", "secret2", "token2", "2026-11-23T08:20:00Z"));
  BucketSettings settings;
  settings.keys.tool = tool.Access();
  Scene scene("s3://pcaps/dir?region=eu-west-3", "https://pcaps.s3.eu-west-3.amazonaws.com",
              {{"HOME", "/nonexistent"}}, settings);
  const StoredObject object = scene.Add("k", "0123456789");
  AssertText(scene.Read(object).text, "0123456789");
  AssertText(scene.http.requests.back().sigv4->access_key_id, "ASIA1");
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 56min);
  AssertText(scene.Read(object, 5).text, "56789");
  AssertText(scene.http.requests.back().sigv4->access_key_id, "ASIA2");
  AssertText(scene.http.requests.back().sigv4->session_token, "token2");
  scene.List();
  AssertText(scene.http.requests.back().sigv4->access_key_id, "ASIA2");
  assert_int_equal(tool.calls.size(), 2);
  tool.answers.clear();
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 2h);
  const std::size_t before = scene.http.requests.size();
  const ObjectRecorder read = scene.Read(object);
  assert_true(read.error().kind == Kind::kPassing);
  AssertContains(SentenceOf(read.error()), "there is no aws in PATH");
  AssertContains(SentenceOf(scene.ListError()), "there is no aws in PATH");
  assert_int_equal(scene.http.requests.size(), before);
}

/// AWS_CA_BUNDLE and AWS's endpoints are for s3:// alone; the others have their own.
void EachStoreHasItsOwnEndpoint(void**) {
  const EnvironmentTable environment{{"HOME", "/nonexistent"},
                                     {"AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"},
                                     {"AWS_CA_BUNDLE", "/authorities"},
                                     {"AWS_ACCESS_KEY_ID", "AKIA1"},
                                     {"AWS_SECRET_ACCESS_KEY", "secret1"},
                                     {"GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.x"}};
  Scene s3("s3://pcaps?region=r", "http://127.0.0.1:1/pcaps", environment);
  s3.List();
  AssertText(s3.http.requests.back().ca_file, "/authorities");
  AssertText(s3.bucket->KeysFrom(), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  Scene google("gs://pcaps", "https://storage.googleapis.com/pcaps", environment);
  google.List();
  AssertText(google.http.requests.back().ca_file, "");
  BucketSettings settings;
  settings.s3_endpoint = "http://127.0.0.1:2";
  settings.r2_endpoint = "http://127.0.0.1:3";
  settings.gcs_endpoint = "http://127.0.0.1:4";
  Scene("s3://pcaps?region=r", "http://127.0.0.1:2/pcaps", environment, settings).List();
  Scene("gs://pcaps", "http://127.0.0.1:4/pcaps", environment, settings).List();
  Scene("r2://pcaps?account-id=a&access-key-id=i&secret-access-key=s", "http://127.0.0.1:3/pcaps",
        environment, settings)
      .List();
}

void GoogleTokenIsABearer(void**) {
  Scene scene("gs://pcaps", "https://storage.googleapis.com/pcaps",
              {{"GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.x"}});
  scene.List();
  const http::HttpRequest& sent = scene.http.requests.front();
  assert_false(sent.sigv4.has_value());
  AssertText(sent.headers[0].first, "Authorization");
  AssertText(sent.headers[0].second, "Bearer ya29.x");
}

void GoogleSendsGzipAsItIsStored(void**) {
  Scene google("gs://pcaps", "https://storage.googleapis.com/pcaps",
               {{"GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.x"}});
  google.Read(google.Add("k", "x"));
  assert_true(google.http.requests.back().accept_gzip);
  Scene s3;
  s3.Read(s3.Add("k", "x"));
  assert_false(s3.http.requests.back().accept_gzip);
}

void ObjectIsReadWithItsEtag(void**) {
  Scene scene;
  const StoredObject object = scene.Add("dir/a b+c", "0123456789");
  const ObjectRecorder read = scene.Read(object);
  assert_true(read.end->result.has_value());
  AssertText(read.text, "0123456789");
  const http::HttpRequest& sent = scene.http.requests.front();
  AssertText(sent.url, "https://pcaps.s3.eu-west-3.amazonaws.com/dir/a%20b%2Bc");
  assert_int_equal(sent.headers.size(), 1);
  AssertText(sent.headers[0].first, "If-Match");
  AssertText(sent.headers[0].second, object.etag);
}

void RestIsAskedForByRange(void**) {
  Scene scene;
  const StoredObject object = scene.Add("k", "0123456789");
  AssertText(scene.Read(object, 7).text, "789");
  AssertText(scene.http.requests[0].headers[1].second, "bytes=7-");
  scene.store.knows_ranges = false;
  const ObjectRecorder whole = scene.Read(object, 7);
  assert_true(whole.end->result.has_value());
  AssertText(whole.text, "789");
}

void EmptyObjectIsRead(void**) {
  Scene scene;
  const ObjectRecorder read = scene.Read(scene.Add("k", ""));
  assert_true(read.end->result.has_value());
  AssertText(read.text, "");
}

void ChangedObjectIsNoticed(void**) {
  Scene scene;
  const StoredObject object = scene.Add("k", "0123456789");
  scene.store.objects["k"] = "9876543210";
  for (const bool knows : {true, false}) {
    scene.store.knows_if_match = knows;
    for (const std::uint64_t offset : {0, 5}) {
      const ObjectRecorder read = scene.Read(object, offset);
      AssertContains(SentenceOf(read.error()), "not what it was when it was listed");
      assert_true(read.error().kind == Kind::kFinal);
      AssertText(read.text, "");
    }
  }
}

void GrownAndShrunkObjectsWithoutEtagsAreNoticed(void**) {
  Scene scene;
  StoredObject object = scene.Add("k", "0123456789");
  object.etag.clear();
  scene.store.objects["k"] = "01234567890";
  AssertContains(SentenceOf(scene.Read(object).error()), "not what it was");
  scene.store.objects["k"] = "01234";
  AssertContains(SentenceOf(scene.Read(object).error()), "not what it was");
  AssertContains(SentenceOf(scene.Read(object, 7).error()), "not what it was");
}

void BrokenReadMayGoOn(void**) {
  Scene scene;
  const StoredObject object = scene.Add("k", "0123456789");
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.cut_at = 4; };
  const ObjectRecorder cut = scene.Read(object);
  assert_true(cut.error().kind == Kind::kPassing);
  AssertText(cut.text, "0123");
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) {
    answer.body.resize(4);
    answer.end_is_certain = false;
  };
  const ObjectRecorder closed = scene.Read(object);
  assert_true(closed.error().kind == Kind::kPassing);
  AssertContains(SentenceOf(closed.error()), "broke off after 4 of 10 bytes");
}

void AnotherRangeThanAskedIsRefused(void**) {
  Scene scene;
  const StoredObject object = scene.Add("k", "0123456789");
  for (const char* const range : {"bytes 0-9/10", "bytes 6-9/10", "", "nonsense"}) {
    scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
      answer.headers = {{"content-range", range}};
    };
    AssertContains(SentenceOf(scene.Read(object, 5).error()), "another part");
  }
}

void RefusedReadSaysWhy(void**) {
  Scene scene;
  const StoredObject gone{.key = "gone", .size = 5, .etag = "\"x\""};
  AssertContains(SentenceOf(scene.Read(gone).error()), "gone is no longer in the bucket pcaps");
  const StoredObject object = scene.Add("k", "0123456789");
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) {
    answer = {.status = 503, .body = std::string(200000, 'x'), .headers = {{"retry-after", "3"}}};
  };
  const ObjectRecorder busy = scene.Read(object);
  assert_true(busy.error().kind == Kind::kPassing);
  AssertText(busy.end->retry_after, "3");
  AssertText(busy.text, "");
}

void KeysThatLibcurlWouldChangeAreRefusedByName(void**) {
  Scene scene;
  for (const char* const key : {"a/./b", "a/../b", "..", "a/.", "./a"}) {
    const ObjectRecorder read = scene.Read({.key = key, .size = 1});
    AssertContains(SentenceOf(read.error()), key);
    assert_true(read.error().kind == Kind::kFinal);
  }
  assert_int_equal(scene.http.requests.size(), 0);
  scene.Add("a/...b/.c", "x");
  assert_true(scene.Read({.key = "a/...b/.c", .size = 1}).end->result.has_value());
}

void ReceiversMayCancelAndFail(void**) {
  Scene scene;
  const StoredObject object = scene.Add("k", "0123456789");
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.piece = 1; };
  ObjectRecorder failing;
  failing.on_bytes = [] { return Fail("disk full"); };
  scene.bucket->StartRead(object, 0, failing);
  ObjectRecorder cancelling;
  Bucket::Read read = 0;
  cancelling.on_bytes = [&]() -> Result<void> {
    scene.bucket->Cancel(read);
    return {};
  };
  read = scene.bucket->StartRead(object, 0, cancelling);
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1min);
  AssertText(ClauseOf(failing.error()), "disk full");
  AssertText(cancelling.text, "0");
  assert_false(cancelling.end.has_value());
  assert_int_equal(scene.http.active(), 0);
}

void SmallObjectIsReadWhole(void**) {
  Scene scene;
  const StoredObject object = scene.Add("ownership-challenge-1.txt", "challenge\n");
  AssertText(*ReadObject(*scene.bucket, scene.loop, object, 100, kGoOn), "challenge\n");
  AssertContains(SentenceOf(ReadObject(*scene.bucket, scene.loop, object, 9, kGoOn).error()),
                 "more than make sense");
  const auto stopped = ReadObject(*scene.bucket, scene.loop, object, 100, [] { return true; });
  assert_true(stopped.error().kind == Kind::kInterrupted);
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ListingIsSignedForTheBucketsHostAndRegion),
      cmocka_unit_test(GoogleAndR2AreSignedAsTheyWantIt),
      cmocka_unit_test(KeysThatEndAreRenewedBetweenRequests),
      cmocka_unit_test(EachStoreHasItsOwnEndpoint),
      cmocka_unit_test(GoogleTokenIsABearer),
      cmocka_unit_test(GoogleSendsGzipAsItIsStored),
      cmocka_unit_test(ObjectIsReadWithItsEtag),
      cmocka_unit_test(RestIsAskedForByRange),
      cmocka_unit_test(EmptyObjectIsRead),
      cmocka_unit_test(ChangedObjectIsNoticed),
      cmocka_unit_test(GrownAndShrunkObjectsWithoutEtagsAreNoticed),
      cmocka_unit_test(BrokenReadMayGoOn),
      cmocka_unit_test(AnotherRangeThanAskedIsRefused),
      cmocka_unit_test(RefusedReadSaysWhy),
      cmocka_unit_test(KeysThatLibcurlWouldChangeAreRefusedByName),
      cmocka_unit_test(ReceiversMayCancelAndFail),
      cmocka_unit_test(SmallObjectIsReadWhole),
  };
  return cmocka_run_group_tests_name("remote bucket", tests, nullptr, nullptr);
}
