// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/bucket/remote_bucket.h"
#include "tests/unit/environment_table.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/fake_tool.h"
#include "tests/unit/object_recorder.h"

namespace cloudflaredump::bucket {

inline const auto kGoOn = [] { return false; };
inline const std::string kId = "66802ca5668e47a2b82c2e6746e45037";

/// A bucket as the product opens it, with a store in memory behind it.
struct RemoteBucketFixture {
  explicit RemoteBucketFixture(
      const std::string& destination = "s3://pcaps/dir?region=eu-west-3",
      const std::string& url = "https://pcaps.s3.eu-west-3.amazonaws.com",
      const EnvironmentTable& environment = {{"HOME", "/nonexistent"},
                                             {"AWS_ACCESS_KEY_ID", "AKIA1"},
                                             {"AWS_SECRET_ACCESS_KEY", "secret1"},
                                             {"AWS_SESSION_TOKEN", "token1"}},
      const BucketSettings& settings = {})
      : store(http, url) {
    const Result<DestinationConf> conf = ParseReadFrom(destination);
    assert_true(conf.has_value());
    Result<std::unique_ptr<Bucket>> opened =
        OpenBucket(*conf, settings, environment.Get(), http, loop);
    if (!opened) fail_msg("%s", SentenceOf(opened.error()).c_str());
    bucket = std::move(*opened);
  }

  std::vector<StoredObject> List(const std::string& prefix = "") {
    const Result<std::vector<StoredObject>> objects = bucket->List(prefix, kGoOn);
    if (!objects) fail_msg("%s", SentenceOf(objects.error()).c_str());
    return *objects;
  }

  Error ListError() {
    const Result<std::vector<StoredObject>> objects = bucket->List("", kGoOn);
    assert_false(objects.has_value());
    return objects.error();
  }

  ObjectRecorder Read(const StoredObject& object, std::uint64_t offset = 0) {
    ObjectRecorder recorder;
    bucket->StartRead(object, offset, recorder);
    assert_false(recorder.end.has_value());
    assert_true(loop.RunUntil([&] { return recorder.end.has_value(); },
                              loop.Steady() + std::chrono::hours(1)));
    return recorder;
  }

  StoredObject Add(const std::string& key, const std::string& body) {
    store.objects[key] = body;
    return {.key = key, .size = body.size(), .etag = FakeStore::Etag(body)};
  }

  FakeEventLoop loop;
  FakeHttp http{loop};
  FakeStore store;
  std::unique_ptr<Bucket> bucket;
};

}  // namespace cloudflaredump::bucket
