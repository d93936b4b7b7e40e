// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extcap/bucket/part_fetcher.h"
#include "extcap/bucket/remote_bucket.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {

inline const auto kGoOn = [] { return false; };

/// Keeps what arrives of each part, and checks the order.
class PartRecorder : public bucket::PartReceiver {
 public:
  struct Part {
    std::string text;
    std::optional<Result<void>> end;
  };

  Result<void> OnPartBytes(std::size_t part, std::span<const std::byte> bytes) override {
    assert_false(parts[part].end.has_value());
    parts[part].text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return on_bytes ? on_bytes(part) : Result<void>();
  }

  void OnPartEnd(std::size_t part, Result<void> end) override {
    assert_false(parts[part].end.has_value());
    parts[part].end = std::move(end);
    order.push_back(part);
  }

  std::map<std::size_t, Part> parts;
  std::vector<std::size_t> order;
  std::function<Result<void>(std::size_t)> on_bytes;
};

/// A PartFetcher on a bucket in memory.
struct Scene {
  explicit Scene(bucket::PartFetcher::Options options = {})
      : fetcher(bucket, loop, recorder, options) {}

  void Add(const std::string& key, const std::string& body) {
    store.objects[key] = body;
    fetcher.Add({.key = key, .size = body.size(), .etag = store.EtagOf(body)});
  }

  /// Runs to the end and checks that nothing is left over.
  void Run() {
    assert_true(
        loop.RunUntil([&] { return fetcher.done(); }, loop.Steady() + std::chrono::hours(24)));
    loop.RunUntil(kGoOn, loop.Steady() + std::chrono::hours(1));
    assert_int_equal(http.active(), 0);
  }

  void AssertWhole(std::size_t part, const std::string& text) {
    assert_true(recorder.parts[part].end.has_value());
    if (!*recorder.parts[part].end) {
      fail_msg("part %zu: %s", part, SentenceOf(recorder.parts[part].end->error()).c_str());
    }
    AssertText(recorder.parts[part].text, text);
  }

  FakeEventLoop loop;
  FakeHttp http{loop};
  FakeStore store{http, "https://b.test"};
  bucket::RemoteBucket bucket{{.kind = bucket::StoreKind::kS3, .bucket = "b"},
                              {.url = "https://b.test", .region = "r"},
                              bucket::KeySource({.access_key_id = "a", .secret_access_key = "b"}),
                              std::chrono::minutes(10),
                              http,
                              loop};
  PartRecorder recorder;
  bucket::PartFetcher fetcher;
};

}  // namespace cloudflaredump
