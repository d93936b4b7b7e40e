// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/object_fetcher.h"

#include <map>
#include <optional>

#include "extcap/bucket/remote_bucket.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;
using Kind = Error::Kind;

const auto kGoOn = [] { return false; };

/// Keeps what arrives of each object, and checks the order.
class FetchRecorder : public FetchReceiver {
 public:
  struct Object {
    std::string text;
    int restarts = 0;
    std::optional<Result<void>> end;
  };

  Result<void> OnFetchBytes(std::size_t object, std::span<const std::byte> bytes) override {
    assert_false(objects[object].end.has_value());
    objects[object].text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return on_bytes ? on_bytes(object) : Result<void>();
  }

  void OnFetchRestart(std::size_t object) override {
    assert_false(objects[object].end.has_value());
    objects[object].text.clear();
    ++objects[object].restarts;
  }

  void OnFetchEnd(std::size_t object, Result<void> end) override {
    assert_false(objects[object].end.has_value());
    objects[object].end = std::move(end);
  }

  std::string ErrorOf(std::size_t object) { return SentenceOf(objects[object].end->error()); }

  std::map<std::size_t, Object> objects;
  std::function<Result<void>(std::size_t)> on_bytes;
};

/// An ObjectFetcher on a bucket in memory.
struct Scene {
  explicit Scene(ObjectFetcher::Options options = {}) : fetcher(bucket, loop, recorder, options) {}

  void Add(const std::string& key, const std::string& body) {
    store.objects[key] = body;
    fetcher.Add({.key = key, .size = body.size(), .etag = store.EtagOf(body)});
  }

  /// Runs to the end and checks that nothing is left over.
  void Run() {
    assert_true(loop.RunUntil([&] { return fetcher.done(); }, loop.Steady() + 24h));
    loop.RunUntil(kGoOn, loop.Steady() + 1h);
    assert_int_equal(http.active(), 0);
    assert_int_equal(fetcher.ended(), fetcher.objects());
  }

  void AssertWhole(std::size_t object, const std::string& text) {
    assert_true(recorder.objects[object].end.has_value());
    if (!*recorder.objects[object].end) {
      fail_msg("object %zu: %s", object, recorder.ErrorOf(object).c_str());
    }
    AssertText(recorder.objects[object].text, text);
  }

  FakeEventLoop loop;
  FakeHttp http{loop};
  FakeStore store{http, "https://b.test"};
  RemoteBucket bucket{{.kind = StoreKind::kS3, .bucket = "b"},
                      {.url = "https://b.test", .region = "r"},
                      KeySource({.access_key_id = "a", .secret_access_key = "b"}),
                      10min,
                      http,
                      loop};
  FetchRecorder recorder;
  ObjectFetcher fetcher;
};

std::string Body(std::size_t object) {
  return "body of object " + std::to_string(object) + std::string(object % 50, '.');
}

void AllObjectsArriveWhole(void**) {
  Scene scene;
  std::uint64_t bytes = 0;
  for (std::size_t object = 0; object < 300; ++object) {
    scene.Add("k" + std::to_string(object), Body(object));
    bytes += Body(object).size();
  }
  assert_int_equal(scene.http.requests.size(), 0);
  assert_int_equal(scene.fetcher.objects(), 300);
  scene.Run();
  for (std::size_t object = 0; object < 300; ++object) scene.AssertWhole(object, Body(object));
  assert_int_equal(scene.http.most_at_once, 16);
  assert_int_equal(scene.http.requests.size(), 300);
  assert_true(scene.fetcher.bytes() == bytes);
  assert_true(scene.fetcher.bytes_in_all() == bytes);
}

void LatencyIsSharedByTheConnections(void**) {
  Scene scene;
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.delay = 50ms; };
  for (std::size_t object = 0; object < 300; ++object) scene.Add(std::to_string(object), "x");
  assert_true(scene.loop.RunUntil([&] { return scene.fetcher.done(); }, scene.loop.Steady() + 1h));
  assert_true(scene.loop.Steady() - system::SteadyTime() == 19 * 50ms);  // ceil(300 / 16)
}

void CutsAtEveryByteAreResumed(void**) {
  const std::string body = "0123456789abcdef";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    Scene scene;
    int reads = 0;
    scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
      if (++reads == 1) answer.cut_at = cut;
    };
    scene.Add("k", body);
    scene.Run();
    scene.AssertWhole(0, body);
    assert_int_equal(reads, cut == body.size() ? 1 : 2);
  }
}

void ObjectThatAdvancesIsNotGivenUp(void**) {
  Scene scene({.max_at_once = 1, .patience = 5s});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.cut_at = 16 << 10; };
  const std::string body(100 << 14, 'x');  // 100 faults, each after 16 KiB
  scene.Add("k", body);
  scene.Run();
  scene.AssertWhole(0, body);
}

void ObjectThatDoesNotAdvanceIsGivenUpAlone(void**) {
  Scene scene({.patience = 60s});
  scene.Add("good", "12345678");
  scene.Add("bad", "12345678");
  int reads = 0;
  scene.store.on_read = [&](const std::string& key, FakeAnswer& answer) {
    if (key == "bad") answer.cut_at = ++reads == 1 ? 3 : 0;
  };
  scene.Run();
  scene.AssertWhole(0, "12345678");
  AssertText(scene.recorder.objects[1].text, "123");
  assert_true((*scene.recorder.objects[1].end).error().kind == Kind::kPassing);
  assert_true(reads > 4);
}

/// A byte every 20 s ends no stall limit, and would keep the capture for ever.
void ObjectThatTricklesIsGivenUp(void**) {
  Scene scene({.patience = 5min});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) {
    answer.gap = 20s;
    answer.piece = 1;
  };
  scene.Add("k", std::string(1 << 20, 'x'));
  assert_true(scene.loop.RunUntil([&] { return scene.fetcher.done(); }, scene.loop.Steady() + 1h));
  AssertContains((*scene.recorder.objects[0].end).error().what, "the bucket sent ");
  assert_true(scene.loop.Steady() - system::SteadyTime() < 40min);
}

/// Sixteen such reads at once take no more than a slow telephone line.
void ObjectThatIsSlowIsRead(void**) {
  Scene scene({.patience = 1min});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) {
    answer.gap = 10s;
    answer.piece = 4 << 10;
  };
  const std::string body(1 << 20, 'x');
  scene.Add("k", body);
  scene.Run();
  scene.AssertWhole(0, body);
  assert_int_equal(scene.http.requests.size(), 1);
}

void RetryAfterIsKept(void**) {
  Scene scene;
  int reads = 0;
  scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
    if (++reads == 1) answer = {.status = 503, .headers = {{"retry-after", "42"}}};
  };
  scene.Add("k", "text");
  assert_true(scene.loop.RunUntil([&] { return scene.fetcher.done(); }, scene.loop.Steady() + 1h));
  scene.AssertWhole(0, "text");
  assert_true(scene.loop.Steady() - system::SteadyTime() == 42s);
}

void ObjectThatChangesBetweenTriesIsALoss(void**) {
  Scene scene;
  scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
    answer.cut_at = 4;
    scene.store.objects["k"] = "another!";
  };
  scene.Add("k", "12345678");
  scene.Run();
  AssertText(scene.recorder.objects[0].text, "1234");
  AssertContains(SentenceOf((*scene.recorder.objects[0].end).error()), "not what it was");
}

void OneBadObjectDoesNotStopTheOthers(void**) {
  Scene scene;
  scene.Add("a", "aaa");
  scene.fetcher.Add({.key = "removed", .size = 3});
  scene.fetcher.Add({.key = "a/../b", .size = 3});
  scene.Add("c", "");
  scene.Add("d", "ddd");
  scene.Run();
  scene.AssertWhole(0, "aaa");
  AssertContains(SentenceOf((*scene.recorder.objects[1].end).error()), "no longer");
  AssertContains(SentenceOf((*scene.recorder.objects[2].end).error()), "a/../b");
  scene.AssertWhole(3, "");
  scene.AssertWhole(4, "ddd");
}

void ReceiversErrorGivesUpItsObject(void**) {
  Scene scene;
  scene.recorder.on_bytes = [](std::size_t object) -> Result<void> {
    if (object == 0) return Fail("not a capture");
    return {};
  };
  scene.Add("a", "aaa");
  scene.Add("b", "bbb");
  scene.Run();
  AssertText(ClauseOf((*scene.recorder.objects[0].end).error()), "not a capture");
  scene.AssertWhole(1, "bbb");
}

void ObjectsMayBeAddedLater(void**) {
  Scene scene;
  scene.Add("a", "aaa");
  scene.Run();
  assert_true(scene.fetcher.done());
  scene.Add("late", "lll");
  assert_false(scene.fetcher.done());
  scene.Run();
  scene.AssertWhole(1, "lll");
}

void DestructionIsQuiet(void**) {
  FakeEventLoop loop;
  FakeHttp http(loop);
  FakeStore store(http, "https://b.test");
  store.objects["k"] = "x";
  store.on_read = [](const std::string&, FakeAnswer& answer) { answer.delay = 1s; };
  RemoteBucket bucket({.kind = StoreKind::kS3}, {.url = "https://b.test", .region = "r"},
                      KeySource({.access_key_id = "a", .secret_access_key = "b"}), 10min, http,
                      loop);
  FetchRecorder recorder;
  {
    ObjectFetcher fetcher(bucket, loop, recorder, {});
    for (int i = 0; i < 20; ++i) fetcher.Add({.key = "k", .size = 1});
    loop.RunUntil(kGoOn, loop.Steady() + 10ms);
    assert_int_equal(http.active(), 16);
  }
  assert_int_equal(http.active(), 0);
  loop.RunUntil(kGoOn, loop.Steady() + 1min);
  assert_true(recorder.objects.empty());
}

/// Damages the byte `at` of the first `most` reads of `k`.
void Damage(Scene& scene, int& reads, int most, std::size_t at) {
  scene.store.on_read = [&reads, most, at](const std::string& key, FakeAnswer& answer) {
    if (key == "k" && ++reads <= most) answer.body[at] = static_cast<char>(answer.body[at] ^ 1);
  };
}

void DamagedBytesAreReadAgain(void**) {
  for (const std::string& body :
       {std::string("0123456789abcdef"), std::string((1 << 20) + 1, 'x')}) {
    for (const std::size_t at : {std::size_t{0}, body.size() / 2, body.size() - 1}) {
      Scene scene;
      scene.store.tells_md5 = true;
      int reads = 0;
      Damage(scene, reads, 2, at);
      scene.Add("k", body);
      scene.Add("other", "whole");
      scene.Run();
      scene.AssertWhole(0, body);
      scene.AssertWhole(1, "whole");
      assert_int_equal(scene.recorder.objects[0].restarts, 2);
      assert_int_equal(scene.fetcher.bytes(), scene.fetcher.bytes_in_all());
    }
  }
}

void BytesDamagedEachTimeAreALoss(void**) {
  Scene scene;
  scene.store.tells_md5 = true;
  int reads = 0;
  Damage(scene, reads, 1000, 3);
  scene.Add("k", "0123456789");
  scene.Run();
  assert_int_equal(reads, 3);
  AssertText(scene.recorder.objects[0].text, "0122456789");  // what came last
  AssertContains(scene.recorder.ErrorOf(0), "another MD5");
  AssertContains(scene.recorder.ErrorOf(0), "option read-from");
  assert_int_equal(scene.fetcher.bytes(), 10);
}

void CutsDoNotChangeTheDigest(void**) {
  const std::string body = "0123456789abcdef";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    Scene scene;
    scene.store.tells_md5 = true;
    int reads = 0;
    scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
      if (++reads == 1) answer.cut_at = cut;
    };
    scene.Add("k", body);
    scene.Run();
    scene.AssertWhole(0, body);
    assert_int_equal(scene.recorder.objects[0].restarts, 0);
  }
}

void DamageBeforeACutIsNoticedAtTheEnd(void**) {
  Scene scene;
  scene.store.tells_md5 = true;
  int reads = 0;
  scene.store.on_read = [&](const std::string&, FakeAnswer& answer) {
    if (++reads > 1) return;
    answer.body[0] = 'X';
    answer.cut_at = 4;
  };
  scene.Add("k", "0123456789");
  scene.Run();
  scene.AssertWhole(0, "0123456789");
  assert_int_equal(scene.recorder.objects[0].restarts, 1);
  assert_int_equal(reads, 3);
}

void WhatCameOfAnObjectThatIsGivenUpIsDelivered(void**) {
  Scene scene({.max_at_once = 1, .patience = 5s});
  scene.store.tells_md5 = true;
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) {
    if (answer.status == 200) {
      answer.cut_at = 4;
    } else {
      answer = {.status = 503};
    }
  };
  scene.Add("k", "0123456789");
  scene.Run();
  AssertText(scene.recorder.objects[0].text, "0123");
  assert_false(scene.recorder.objects[0].end->has_value());
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AllObjectsArriveWhole),
      cmocka_unit_test(LatencyIsSharedByTheConnections),
      cmocka_unit_test(CutsAtEveryByteAreResumed),
      cmocka_unit_test(ObjectThatAdvancesIsNotGivenUp),
      cmocka_unit_test(ObjectThatDoesNotAdvanceIsGivenUpAlone),
      cmocka_unit_test(ObjectThatTricklesIsGivenUp),
      cmocka_unit_test(ObjectThatIsSlowIsRead),
      cmocka_unit_test(RetryAfterIsKept),
      cmocka_unit_test(ObjectThatChangesBetweenTriesIsALoss),
      cmocka_unit_test(OneBadObjectDoesNotStopTheOthers),
      cmocka_unit_test(ReceiversErrorGivesUpItsObject),
      cmocka_unit_test(ObjectsMayBeAddedLater),
      cmocka_unit_test(DestructionIsQuiet),
      cmocka_unit_test(DamagedBytesAreReadAgain),
      cmocka_unit_test(BytesDamagedEachTimeAreALoss),
      cmocka_unit_test(CutsDoNotChangeTheDigest),
      cmocka_unit_test(DamageBeforeACutIsNoticedAtTheEnd),
      cmocka_unit_test(WhatCameOfAnObjectThatIsGivenUpIsDelivered),
  };
  return cmocka_run_group_tests_name("object fetcher", tests, nullptr, nullptr);
}
