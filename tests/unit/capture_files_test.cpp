// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/capture_files.h"

#include <algorithm>

#include "tests/unit/results.h"

namespace cloudflaredump::bucket {
namespace {

const auto kGoOn = [] { return false; };
const std::string kId = "66802ca5668e47a2b82c2e6746e45037";

StoredObject Object(const std::string& key) {
  return {.key = key, .size = 1};
}

/// The selection from objects of these keys: files with a blank behind each, then those left out.
std::string Select(const std::vector<std::string>& keys, const std::string& directory = "") {
  std::vector<StoredObject> objects;
  for (const std::string& key : keys) objects.push_back(Object(key));
  const CaptureFiles found = SelectCaptureFiles(objects, directory, "id7");
  std::string told;
  for (const StoredObject& file : found.files) told += file.key + " ";
  told += "|";
  for (const std::string& key : found.left_out) told += " " + key;
  return told;
}

void AFileCarriesTheIdAndEndsAsFilesDo(void**) {
  AssertText(Select({"id7.pcap", "pcap_id7.pcap.gz", "pcap_id7_m1.pcap", "pcap_id8.pcap", "x"}),
             "id7.pcap pcap_id7.pcap.gz pcap_id7_m1.pcap |");
  AssertText(
      Select({"pcap_id7", "pcap_id7.pcapng", "pcap_id7.pcap.zst", "pcap_id7.gz", "pcap_id7.pcap/"}),
      "| pcap_id7 pcap_id7.pcapng pcap_id7.pcap.zst pcap_id7.gz pcap_id7.pcap/");
  AssertText(Select({}), "|");
}

void HiddenAndTemporaryNamesAreLeftOut(void**) {
  const std::vector<std::string> odd = {
      "._pcap_id7.pcap",      ".pcap_id7.pcap",     ".pcap_id7.pcap.AbC123",
      "pcap_id7.pcap.AbC123", "pcap_id7.pcap.part", "pcap_id7.pcap~",
      ".trash/pcap_id7.pcap", "a/.b/pcap_id7.pcap", "a/._pcap_id7.pcap"};
  std::string told = "|";
  for (const std::string& key : odd) told += " " + key;
  AssertText(Select(odd), told);
  AssertText(Select({"pcap_id7...pcap", "pcap.id7.pcap"}), "pcap_id7...pcap pcap.id7.pcap |");
}

void FoldersBelowCountOnlyIfThereIsNoFileDirectly(void**) {
  AssertText(Select({"m1/id7.pcap", "m2/x/id7.pcap.gz"}), "m1/id7.pcap m2/x/id7.pcap.gz |");
  AssertText(Select({"copies/id7.pcap", "id7.pcap"}), "id7.pcap | copies/id7.pcap");
  // What is left out itself is no file that stands directly in the directory.
  AssertText(Select({"m1/id7.pcap", "id7.pcap.tmp"}), "m1/id7.pcap | id7.pcap.tmp");
}

void TheIdMayBeInTheNameOfAFolder(void**) {
  AssertText(Select({"id7/0001.pcap", "id7/0002.pcap", "id8/0001.pcap"}),
             "id7/0001.pcap id7/0002.pcap |");
}

void TheDirectoryItselfSaysNothing(void**) {
  AssertText(Select({"id7/.x/a.pcap", "id7/.x/id7.pcap", "id7/.x/sub/id7.pcap"}, "id7/.x/"),
             "id7/.x/id7.pcap | id7/.x/sub/id7.pcap");
}

void LinksAreLeftOut(void**) {
  const std::vector<StoredObject> objects = {{.key = "a_id7.pcap", .size = 9, .link = true},
                                             {.key = "b_id7.pcap", .size = 5}};
  const CaptureFiles found = SelectCaptureFiles(objects, "", "id7");
  assert_int_equal(found.files.size(), 1);
  assert_true(found.files[0] == objects[1]);
  assert_true(found.left_out == std::vector<std::string>{"a_id7.pcap"});
}

/// A bucket with some keys, which remembers what it was asked for.
class ListedBucket : public Bucket {
 public:
  ListedBucket(std::string directory, std::vector<std::string> keys)
      : directory_(std::move(directory)), keys_(std::move(keys)) {
    std::ranges::sort(keys_);
  }

  const std::string& directory() const override { return directory_; }
  Result<std::vector<StoredObject>> List(const std::string& prefix,
                                         const std::function<bool()>& stop) override {
    asked += "[" + prefix + "]";
    if (stop()) return Stopped();
    if (fault) return std::unexpected(*fault);
    std::vector<StoredObject> objects;
    for (const std::string& key : keys_) {
      if (key.starts_with(directory_ + prefix)) objects.push_back(Object(key));
    }
    return objects;
  }
  Result<void> Probe(const std::function<bool()>&) override { return {}; }
  Read StartRead(const StoredObject&, std::uint64_t, ObjectReceiver&) override { return 0; }
  void Cancel(Read) override {}

  std::string asked;
  std::optional<Error> fault;

 private:
  const std::string directory_;
  std::vector<std::string> keys_;
};

void TheDocumentedNamesAreAskedForFirst(void**) {
  ListedBucket bucket("dir/", {"dir/pcap_" + kId + ".pcap", "dir/z_" + kId + ".pcap"});
  const CaptureFiles found = ValueOf(ListCaptureFiles(bucket, kId, SearchScope::kNamed, kGoOn));
  assert_int_equal(found.files.size(), 1);
  AssertText(found.files[0].key, "dir/pcap_" + kId + ".pcap");
  AssertText(bucket.asked, "[pcap_" + kId + "]");
}

void OtherNamesAreLookedForInTheWholeDirectory(void**) {
  ListedBucket bucket("dir/", {"dir/pcap_" + kId + ".pcap.tmp", "dir/m1-" + kId + ".pcap",
                               "dir/other.pcap", "elsewhere/" + kId + ".pcap"});
  const CaptureFiles found = ValueOf(ListCaptureFiles(bucket, kId, SearchScope::kNamed, kGoOn));
  assert_int_equal(found.files.size(), 1);
  AssertText(found.files[0].key, "dir/m1-" + kId + ".pcap");
  assert_true(found.left_out == std::vector<std::string>{"dir/pcap_" + kId + ".pcap.tmp"});
  AssertText(bucket.asked, "[pcap_" + kId + "][]");
}

void TheWholeDirectoryIsAskedForAtOnce(void**) {
  ListedBucket bucket("", {"pcap_" + kId + ".pcap", "z_" + kId + ".pcap"});
  const CaptureFiles found = ValueOf(ListCaptureFiles(bucket, kId, SearchScope::kDirectory, kGoOn));
  assert_int_equal(found.files.size(), 2);
  AssertText(bucket.asked, "[]");
}

void ErrorsAndStopEndTheSearch(void**) {
  ListedBucket bucket("", {});
  for (const SearchScope scope : {SearchScope::kNamed, SearchScope::kDirectory}) {
    bucket.fault = {};
    AssertFails(ListCaptureFiles(bucket, kId, scope, [] { return true; }),
                Error::Kind::kInterrupted, "");
    bucket.fault = Error{.what = "no such bucket"};
    AssertFails(ListCaptureFiles(bucket, kId, scope, kGoOn), Error::Kind::kFinal, "no such bucket");
  }
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AFileCarriesTheIdAndEndsAsFilesDo),
      cmocka_unit_test(HiddenAndTemporaryNamesAreLeftOut),
      cmocka_unit_test(FoldersBelowCountOnlyIfThereIsNoFileDirectly),
      cmocka_unit_test(TheIdMayBeInTheNameOfAFolder),
      cmocka_unit_test(TheDirectoryItselfSaysNothing),
      cmocka_unit_test(LinksAreLeftOut),
      cmocka_unit_test(TheDocumentedNamesAreAskedForFirst),
      cmocka_unit_test(OtherNamesAreLookedForInTheWholeDirectory),
      cmocka_unit_test(TheWholeDirectoryIsAskedForAtOnce),
      cmocka_unit_test(ErrorsAndStopEndTheSearch),
  };
  return cmocka_run_group_tests_name("capture files", tests, nullptr, nullptr);
}
