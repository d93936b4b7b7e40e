// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/part_fetcher.h"

#include "tests/unit/part_scene.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;
using Kind = Error::Kind;

std::string Body(std::size_t part) {
  return "body of part " + std::to_string(part) + std::string(part % 50, '.');
}

void AllPartsArriveWhole(void**) {
  Scene scene;
  std::uint64_t bytes = 0;
  for (std::size_t part = 0; part < 300; ++part) {
    scene.Add("k" + std::to_string(part), Body(part));
    bytes += Body(part).size();
  }
  assert_int_equal(scene.http.requests.size(), 0);
  assert_int_equal(scene.fetcher.parts(), 300);
  scene.Run();
  for (std::size_t part = 0; part < 300; ++part) scene.AssertWhole(part, Body(part));
  assert_int_equal(scene.http.most_at_once, 16);
  assert_int_equal(scene.http.requests.size(), 300);
  assert_true(scene.fetcher.bytes() == bytes);
  assert_true(scene.fetcher.bytes_in_all() == bytes);
}

void LatencyIsSharedByTheConnections(void**) {
  Scene scene;
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.delay = 50ms; };
  for (std::size_t part = 0; part < 300; ++part) scene.Add(std::to_string(part), "x");
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

void PartThatAdvancesIsNotGivenUp(void**) {
  Scene scene({.max_at_once = 1, .patience = 5s});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.cut_at = 1; };
  const std::string body(100, 'x');  // 100 faults, each after one byte
  scene.Add("k", body);
  scene.Run();
  scene.AssertWhole(0, body);
}

void PartThatDoesNotAdvanceIsGivenUpAlone(void**) {
  Scene scene({.patience = 60s});
  scene.Add("good", "12345678");
  scene.Add("bad", "12345678");
  int reads = 0;
  scene.store.on_read = [&](const std::string& key, FakeAnswer& answer) {
    if (key == "bad") answer.cut_at = ++reads == 1 ? 3 : 0;
  };
  scene.Run();
  scene.AssertWhole(0, "12345678");
  AssertText(scene.recorder.parts[1].text, "123");
  assert_true((*scene.recorder.parts[1].end).error().kind == Kind::kPassing);
  assert_true(reads > 4);
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
  AssertText(scene.recorder.parts[0].text, "1234");
  AssertContains(SentenceOf((*scene.recorder.parts[0].end).error()), "not what it was");
}

void OneBadPartDoesNotStopTheOthers(void**) {
  Scene scene;
  scene.Add("a", "aaa");
  scene.fetcher.Add({.key = "removed", .size = 3});
  scene.fetcher.Add({.key = "a/../b", .size = 3});
  scene.Add("c", "");
  scene.Add("d", "ddd");
  scene.Run();
  scene.AssertWhole(0, "aaa");
  AssertContains(SentenceOf((*scene.recorder.parts[1].end).error()), "no longer");
  AssertContains(SentenceOf((*scene.recorder.parts[2].end).error()), "a/../b");
  scene.AssertWhole(3, "");
  scene.AssertWhole(4, "ddd");
}

void ReceiversErrorGivesUpItsPart(void**) {
  Scene scene;
  scene.recorder.on_bytes = [](std::size_t part) -> Result<void> {
    if (part == 0) return Fail("not a capture");
    return {};
  };
  scene.Add("a", "aaa");
  scene.Add("b", "bbb");
  scene.Run();
  AssertText(ClauseOf((*scene.recorder.parts[0].end).error()), "not a capture");
  scene.AssertWhole(1, "bbb");
}

void PausedPartsDoNotHoldUpOthers(void**) {
  Scene scene({.max_at_once = 2});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.piece = 4; };
  for (std::size_t part = 0; part < 6; ++part) scene.Add(std::to_string(part), "0123456789");
  bool hold = true;
  scene.recorder.on_bytes = [&](std::size_t part) -> Result<void> {
    if (hold) scene.fetcher.Pause(part);
    return {};
  };
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1min);
  for (std::size_t part = 0; part < 6; ++part) {
    AssertText(scene.recorder.parts[part].text, "0123");
  }
  assert_true(scene.http.most_at_once <= 2);
  hold = false;
  for (std::size_t part = 0; part < 6; ++part) scene.fetcher.Resume(part);
  scene.Run();
  for (std::size_t part = 0; part < 6; ++part) scene.AssertWhole(part, "0123456789");
  assert_true(scene.http.most_at_once <= 2);
}

void PausedPartKeepsItsConnectionWhenNobodyWaits(void**) {
  Scene scene;
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.piece = 4; };
  scene.Add("a", "0123456789");
  scene.recorder.on_bytes = [&](std::size_t part) -> Result<void> {
    scene.fetcher.Pause(part);
    scene.loop.CallAt(scene.loop.Steady() + 90s, [&scene, part] { scene.fetcher.Resume(part); });
    return {};
  };
  scene.Run();
  scene.AssertWhole(0, "0123456789");
  assert_int_equal(scene.store.reads, 1);
}

void PausesWhileWaitingAreKept(void**) {
  Scene scene({.max_at_once = 1});
  scene.store.on_read = [](const std::string&, FakeAnswer& answer) { answer.delay = 1s; };
  scene.Add("a", "aaa");
  scene.Add("b", "bbb");
  scene.Add("c", "ccc");
  scene.fetcher.Pause(1);
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1min);
  assert_int_equal(scene.fetcher.ended(), 2);
  AssertText(scene.recorder.parts[1].text, "");
  scene.fetcher.Resume(1);
  scene.Run();
  scene.AssertWhole(1, "bbb");
}

void CancelledPartsAreNotHeardOf(void**) {
  Scene scene({.max_at_once = 2});
  scene.store.on_read = [](const std::string& key, FakeAnswer& answer) {
    answer.piece = 1;
    if (key == "b") answer = {.status = 503};
  };
  for (const char* const key : {"a", "b", "c", "d"}) scene.Add(key, "xyz");
  scene.recorder.on_bytes = [&](std::size_t part) -> Result<void> {
    if (part == 0) scene.fetcher.Cancel(0);  // from within
    return {};
  };
  scene.fetcher.Cancel(2);  // before its turn
  scene.loop.RunUntil([&] { return scene.store.reads >= 3; }, scene.loop.Steady() + 100ms);
  scene.fetcher.Cancel(1);  // while it waits to try again
  scene.fetcher.Cancel(1);
  scene.Run();
  assert_false(scene.recorder.parts[0].end.has_value());
  AssertText(scene.recorder.parts[0].text, "x");
  assert_false(scene.recorder.parts[1].end.has_value());
  assert_false(scene.recorder.parts[2].end.has_value());
  scene.AssertWhole(3, "xyz");
}

void PartsMayBeAddedLater(void**) {
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
  PartRecorder recorder;
  {
    PartFetcher fetcher(bucket, loop, recorder, {});
    for (int i = 0; i < 20; ++i) fetcher.Add({.key = "k", .size = 1});
    loop.RunUntil(kGoOn, loop.Steady() + 10ms);
    assert_int_equal(http.active(), 16);
  }
  assert_int_equal(http.active(), 0);
  loop.RunUntil(kGoOn, loop.Steady() + 1min);
  assert_true(recorder.parts.empty());
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AllPartsArriveWhole),
      cmocka_unit_test(LatencyIsSharedByTheConnections),
      cmocka_unit_test(CutsAtEveryByteAreResumed),
      cmocka_unit_test(PartThatAdvancesIsNotGivenUp),
      cmocka_unit_test(PartThatDoesNotAdvanceIsGivenUpAlone),
      cmocka_unit_test(RetryAfterIsKept),
      cmocka_unit_test(ObjectThatChangesBetweenTriesIsALoss),
      cmocka_unit_test(OneBadPartDoesNotStopTheOthers),
      cmocka_unit_test(ReceiversErrorGivesUpItsPart),
      cmocka_unit_test(PausedPartsDoNotHoldUpOthers),
      cmocka_unit_test(PausedPartKeepsItsConnectionWhenNobodyWaits),
      cmocka_unit_test(PausesWhileWaitingAreKept),
      cmocka_unit_test(CancelledPartsAreNotHeardOf),
      cmocka_unit_test(PartsMayBeAddedLater),
      cmocka_unit_test(DestructionIsQuiet),
  };
  return cmocka_run_group_tests_name("part fetcher", tests, nullptr, nullptr);
}
