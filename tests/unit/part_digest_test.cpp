// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parts whose store tells their MD5 as the ETag.
#include "tests/unit/part_scene.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;

/// Spoils the byte `at` of the first `reads` reads.
void Spoil(Scene& scene, int& reads, int most, std::size_t at) {
  scene.store.on_read = [&reads, most, at](const std::string&, FakeAnswer& answer) {
    if (++reads <= most) answer.body[at] = static_cast<char>(answer.body[at] ^ 1);
  };
}

void SpoiltBytesOfASmallPartAreReadAgain(void**) {
  const std::string body = "0123456789abcdef";
  for (std::size_t at = 0; at < body.size(); ++at) {
    Scene scene;
    scene.store.tells_md5 = true;
    int reads = 0;
    Spoil(scene, reads, 2, at);
    scene.Add("k", body);
    scene.Run();
    scene.AssertWhole(0, body);
    assert_int_equal(reads, 3);
    assert_int_equal(scene.fetcher.bytes(), body.size());
  }
}

void BytesSpoiltEachTimeAreNotDelivered(void**) {
  Scene scene;
  scene.store.tells_md5 = true;
  int reads = 0;
  Spoil(scene, reads, 1000, 3);
  scene.Add("k", "0123456789");
  scene.Run();
  assert_int_equal(reads, 3);
  AssertText(scene.recorder.parts[0].text, "");
  AssertContains(SentenceOf(scene.recorder.parts[0].end->error()), "another MD5");
  AssertContains(SentenceOf(scene.recorder.parts[0].end->error()), "--read-from");
}

void ALargePartIsDeliveredAsItComesAndMarked(void**) {
  Scene scene;
  scene.store.tells_md5 = true;
  int reads = 0;
  Spoil(scene, reads, 1000, 3);
  const std::string body((std::size_t{1} << 20) + 1, 'x');
  scene.Add("k", body);
  scene.Run();
  assert_int_equal(reads, 1);
  assert_int_equal(scene.recorder.parts[0].text.size(), body.size());
  AssertContains(SentenceOf(scene.recorder.parts[0].end->error()), "may be wrong");
}

void CutsDoNotSpoilTheDigest(void**) {
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
  }
}

void WhatCameOfASmallPartThatIsGivenUpIsDelivered(void**) {
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
  AssertText(scene.recorder.parts[0].text, "0123");
  assert_false(scene.recorder.parts[0].end->has_value());
}

void APausedPartIsDeliveredWhenItGoesOn(void**) {
  Scene scene;
  scene.store.tells_md5 = true;
  scene.Add("k", "0123456789");
  scene.loop.RunUntil([&] { return !scene.http.requests.empty(); }, scene.loop.Steady() + 1min);
  scene.fetcher.Pause(0);
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1h);
  AssertText(scene.recorder.parts[0].text, "");
  scene.fetcher.Resume(0);
  scene.Run();
  scene.AssertWhole(0, "0123456789");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SpoiltBytesOfASmallPartAreReadAgain),
      cmocka_unit_test(BytesSpoiltEachTimeAreNotDelivered),
      cmocka_unit_test(ALargePartIsDeliveredAsItComesAndMarked),
      cmocka_unit_test(CutsDoNotSpoilTheDigest),
      cmocka_unit_test(WhatCameOfASmallPartThatIsGivenUpIsDelivered),
      cmocka_unit_test(APausedPartIsDeliveredWhenItGoesOn),
  };
  return cmocka_run_group_tests_name("part digest", tests, nullptr, nullptr);
}
