// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/folder_bucket.h"

#include <sys/stat.h>

#include "tests/unit/fake_event_loop.h"
#include "tests/unit/object_recorder.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

struct Scene {
  std::vector<StoredObject> List(const std::string& prefix = "") {
    const Result<std::vector<StoredObject>> objects = bucket.List(prefix, kGoOn);
    if (!objects) fail_msg("%s", SentenceOf(objects.error()).c_str());
    return *objects;
  }

  ObjectRecorder Read(const StoredObject& object, std::uint64_t offset = 0) {
    ObjectRecorder recorder;
    bucket.StartRead(object, offset, recorder);
    assert_false(recorder.end.has_value());
    assert_true(loop.RunUntil([&] { return recorder.end.has_value(); }, loop.Steady() + 1h));
    return recorder;
  }

  TempFolder folder;
  FakeEventLoop loop;
  FolderBucket bucket{folder.path(), loop};
};

void FilesAreListedFromAllFolders(void**) {
  Scene scene;
  AssertText(scene.bucket.directory(), "");
  scene.folder.Write("pcap_id7.pcap", "1");
  scene.folder.Write("machine 1/\xff+%2F/pcap_id7", "22");
  scene.folder.Write("id7/0001.pcap", "333");
  scene.folder.Write(".hidden", "4444");
  std::filesystem::create_directory(scene.folder.path() + "/empty id7");
  const std::vector<StoredObject> objects = scene.List();
  assert_int_equal(objects.size(), 4);
  AssertText(objects[0].key, ".hidden");
  AssertText(objects[1].key, "id7/0001.pcap");
  AssertText(objects[2].key, "machine 1/\xff+%2F/pcap_id7");
  AssertText(objects[3].key, "pcap_id7.pcap");
  assert_int_equal(objects[2].size, 2);
  AssertText(scene.Read(objects[2]).text, "22");
}

void KeysBeginWithThePrefix(void**) {
  Scene scene;
  for (const char* const name : {"pcap_id7.pcap", "pcap_id7_b.pcap", "pcap_id8.pcap", "xpcap_id7",
                                 "pcap_id7/a/b.pcap", "pcap_id7.d/c.pcap", "a/pcap_id7.pcap"}) {
    scene.folder.Write(name, "x");
  }
  const auto keys = [&](const std::string& prefix) {
    std::string all;
    for (const StoredObject& object : scene.List(prefix)) all += object.key + " ";
    return all;
  };
  AssertText(keys("pcap_id7"),
             "pcap_id7.d/c.pcap pcap_id7.pcap pcap_id7/a/b.pcap pcap_id7_b.pcap ");
  AssertText(keys("pcap_id7/"), "pcap_id7/a/b.pcap ");
  AssertText(keys("pcap_id7/a/b"), "pcap_id7/a/b.pcap ");
  AssertText(keys("a/"), "a/pcap_id7.pcap ");
  AssertText(keys("none"), "");
}

void LinksAreNamedButNotFollowed(void**) {
  Scene scene;
  namespace fs = std::filesystem;
  const fs::path root(scene.folder.path());
  assert_int_equal(mkfifo((root / "fifo_id7").c_str(), 0600), 0);
  scene.folder.Write("sub/pcap_id7", "x");
  fs::create_directory_symlink(root, root / "loop");
  fs::create_symlink(root / "sub/pcap_id7", root / "link_id7");
  fs::create_symlink(root / "gone", root / "broken_id7");
  std::string told;
  for (const StoredObject& object : scene.List()) {
    told += object.key + (object.link ? "@ " : " ");
  }
  AssertText(told, "broken_id7@ link_id7@ loop@ sub/pcap_id7 ");
}

void AFolderThatIsALinkIsRead(void**) {
  Scene scene;
  scene.folder.Write("real/pcap_id7", "x");
  const std::string link = scene.folder / "link";
  std::filesystem::create_directory_symlink(scene.folder / "real", link);
  FolderBucket bucket(link, scene.loop);
  assert_int_equal(bucket.List("", kGoOn)->size(), 1);
}

void FoldersFarBelowAreNotLookedAt(void**) {
  Scene scene;
  std::string name;
  for (int depth = 0; depth < 12; ++depth) {
    scene.folder.Write(name + "id7", "x");
    name += "d/";
  }
  assert_int_equal(scene.List().size(), 9);
}

void AFolderCanBeProbed(void**) {
  Scene scene;
  assert_true(scene.bucket.Probe(kGoOn).has_value());
  scene.folder.Write("id7", "x");
  assert_true(scene.bucket.Probe(kGoOn).has_value());
  assert_true(scene.bucket.Probe([] { return true; }).error().kind == Error::Kind::kInterrupted);
  assert_true(scene.bucket.List("", [] { return true; }).error().kind == Error::Kind::kInterrupted);
  FolderBucket missing("/nonexistent/pcaps", scene.loop);
  AssertContains(SentenceOf(missing.Probe(kGoOn).error()),
                 "/nonexistent/pcaps cannot be read: No such file or directory");
}

void MissingFolderIsSaid(void**) {
  FakeEventLoop loop;
  FolderBucket bucket("/nonexistent/pcaps", loop);
  const Result<std::vector<StoredObject>> objects = bucket.List("id7", kGoOn);
  AssertContains(SentenceOf(objects.error()),
                 "/nonexistent/pcaps cannot be read: No such file or directory");
}

void BigFileArrivesInPieces(void**) {
  Scene scene;
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i);
  scene.folder.Write("id7", text);
  const StoredObject object = scene.List()[0];
  assert_true(scene.Read(object).text == text);
  assert_true(scene.Read(object, 1000).text == text.substr(1000));
  scene.folder.Write("empty_id7", "");
  assert_true(scene.Read(scene.List("empty")[0]).end->result.has_value());
}

void ChangedAndRemovedFilesAreNoticed(void**) {
  Scene scene;
  const std::string file = scene.folder.Write("id7", "before");
  const StoredObject object = scene.List()[0];
  scene.folder.Write("id7", "longer than before");
  AssertContains(SentenceOf(scene.Read(object).error()), "not what it was");
  scene.folder.Write("new", "before");
  std::filesystem::rename(scene.folder.path() + "/new", file);
  AssertContains(SentenceOf(scene.Read(object).error()), "not what it was");
  std::filesystem::remove(file);
  AssertContains(SentenceOf(scene.Read(object).error()), "No such file or directory");
  assert_int_equal(mkfifo(file.c_str(), 0600), 0);
  AssertContains(SentenceOf(scene.Read(object).error()), "not what it was");
}

void FileThatShrinksWhileReadIsNoticed(void**) {
  Scene scene;
  const std::string file = scene.folder.Write("id7", std::string(1 << 20, 'x'));
  const StoredObject object = scene.List()[0];
  ObjectRecorder recorder;
  recorder.on_bytes = [&]() -> Result<void> {
    std::filesystem::resize_file(file, 1000);
    return {};
  };
  scene.bucket.StartRead(object, 0, recorder);
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1min);
  AssertContains(SentenceOf(recorder.error()), "has become shorter");
}

void ReadsAreCancelledAndFail(void**) {
  Scene scene;
  scene.folder.Write("id7", std::string(1 << 20, 'x'));
  const StoredObject object = scene.List()[0];
  Bucket::Read read = 0;
  ObjectRecorder cancelled;
  cancelled.on_bytes = [&]() -> Result<void> {
    scene.bucket.Cancel(read);
    return {};
  };
  read = scene.bucket.StartRead(object, 0, cancelled);
  ObjectRecorder failed;
  failed.on_bytes = [] { return Fail("disk full"); };
  scene.bucket.StartRead(object, 0, failed);
  scene.loop.RunUntil(kGoOn, scene.loop.Steady() + 1min);
  assert_false(cancelled.end.has_value());
  AssertText(ClauseOf(failed.error()), "disk full");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FilesAreListedFromAllFolders),
      cmocka_unit_test(KeysBeginWithThePrefix),
      cmocka_unit_test(LinksAreNamedButNotFollowed),
      cmocka_unit_test(AFolderThatIsALinkIsRead),
      cmocka_unit_test(FoldersFarBelowAreNotLookedAt),
      cmocka_unit_test(AFolderCanBeProbed),
      cmocka_unit_test(MissingFolderIsSaid),
      cmocka_unit_test(BigFileArrivesInPieces),
      cmocka_unit_test(ChangedAndRemovedFilesAreNoticed),
      cmocka_unit_test(FileThatShrinksWhileReadIsNoticed),
      cmocka_unit_test(ReadsAreCancelledAndFail),
  };
  return cmocka_run_group_tests_name("folder bucket", tests, nullptr, nullptr);
}
