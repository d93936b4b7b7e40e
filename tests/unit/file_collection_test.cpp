// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/file_collection.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "extcap/pcap/file_reader.h"
#include "tests/unit/capture_fixture.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/pcap_bytes.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// The name of a file of the capture kTestId.
std::string Key(const std::string& rest) {
  return "pcap_" + std::string(kTestId) + rest + ".pcap";
}

std::string File(std::initializer_list<const char*> data) {
  PcapBytes file;
  std::uint32_t second = 0;
  for (const char* const one : data) file.Record(++second, 0, one);
  return ToText(file.bytes());
}

/// A collection from a bucket in memory, or from a folder.
struct Scene : CaptureFixture {
  Scene() {
    environment.Set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE0").Set("AWS_SECRET_ACCESS_KEY", "example");
    job.id = kTestId;
    job.type = "full";
    job.status = "success";
  }

  /// What was collected: "key:packets key:packets", then losses and what was left out behind "|".
  std::string Collect(const std::string& from = "s3://pcaps?region=eu-west-1",
                      const config::OptionValues& given = {}) {
    return With("cloudflare-ORD", given, "", [&](const CaptureContext& context) -> std::string {
      const auto place = OpenSource(context, from, 10s);
      if (!place) return SentenceOf(place.error());
      FileCollection collection(context, *place, job, [&] { return give_up; });
      const Result<void> done = collection.Run();
      all_failed = collection.AllFailed();
      if (!done) return SentenceOf(done.error());
      std::string text;
      for (CollectedFile& file : collection.files()) {
        text += (text.empty() ? "" : " ") + file.object.key + ":" +
                std::to_string(pcap::Summarize(*file.bytes).packets);
        if (file.bytes->loss() != nullptr) text += "(" + file.bytes->loss()->what + ")";
      }
      for (const std::string& loss : collection.losses()) text += "|" + loss;
      for (const std::string& left_out : collection.left_out()) text += "|" + left_out;
      return text;
    });
  }

  FakeStore store{http, "https://pcaps.s3.eu-west-1.amazonaws.com"};
  api::PcapJob job;
  bool all_failed = false;
  bool give_up = false;
};

void AllPacketsThatWereCapturedEndTheListing(void**) {
  Scene f;
  f.store.objects = {{Key("_a"), File({"1", "2"})}, {Key("_b"), File({"3"})}};
  f.job.packets_captured = 3;
  AssertText(f.Collect(), Key("_a") + ":2 " + Key("_b") + ":1");
  assert_int_equal(f.store.listings, 1);
  assert_int_equal(f.Elapsed(), 0);
}

void OtherwiseTwoListingsAgree(void**) {
  Scene f;
  f.store.objects = {{Key("_a"), File({"1"})}};
  AssertText(f.Collect(), Key("_a") + ":1");
  assert_int_equal(f.store.listings, 2);
  assert_int_equal(f.Elapsed(), 5);
}

void FilesThatAppearOneByOneAreAllTaken(void**) {
  Scene f;
  f.store.objects = {{Key("_a"), File({"1"})}};
  f.loop.CallAt(f.loop.Steady() + 3s, [&] { f.store.objects[Key("_b")] = File({"2"}); });
  f.loop.CallAt(f.loop.Steady() + 8s, [&] { f.store.objects[Key("_c")] = File({"3"}); });
  AssertText(f.Collect(), Key("_a") + ":1 " + Key("_b") + ":1 " + Key("_c") + ":1");
}

/// A file that was listed while it was still growing is read again.
void AFileThatGrowsIsReadAgain(void**) {
  Scene f;
  f.store.objects = {{Key(""), File({"1"})}};
  f.loop.CallAt(f.loop.Steady() + 3s, [&] { f.store.objects[Key("")] = File({"1", "2"}); });
  AssertText(f.Collect(), Key("") + ":2");
}

void MissingPacketsAreLookedForUnderAnyName(void**) {
  Scene f;
  f.job.packets_captured = 2;
  f.store.objects = {{Key("_a"), File({"1"})}, {std::string(kTestId) + "-late.pcap", File({"2"})}};
  AssertText(f.Collect(), Key("_a") + ":1 " + std::string(kTestId) + "-late.pcap:1");
  assert_true(f.Elapsed() >= 60 && f.Elapsed() < 90);
}

void NoFileIsALossWhenTheWaitIsOver(void**) {
  Scene f;
  AssertContains(f.Collect("s3://pcaps?region=eu-west-1", Given({{config::Opt::kMaxWait, "30"}})),
                 "|no file of capture " + std::string(kTestId) + " appeared in the bucket");
  assert_true(f.Elapsed() <= 30);
}

void NoMoreFilesAreLookedForAfterGivingUp(void**) {
  Scene f;
  f.job.packets_captured = 2;
  f.loop.CallAt(f.loop.Steady() + 7s, [&] { f.give_up = true; });
  AssertText(f.Collect(), "stopped.");
  assert_int_equal(f.Elapsed(), 7);
  f.store.objects = {{Key("_a"), File({"1"})}};
  f.give_up = false;
  f.loop.CallAt(f.loop.Steady() + 3s, [&] { f.give_up = true; });
  AssertText(f.Collect(), Key("_a") + ":1");
  assert_int_equal(f.Elapsed(), 10);
}

void NoPacketsAreNoLoss(void**) {
  Scene f;
  f.job.packets_captured = 0;
  AssertText(f.Collect(), "");
  assert_int_equal(f.Elapsed(), 0);
}

void AListingThatNeverSettlesIsALoss(void**) {
  Scene f;
  int count = 0;
  std::function<void()> more = [&] {
    f.store.objects[Key("_" + std::to_string(++count))] = File({"x"});
    f.loop.CallAt(f.loop.Steady() + 3s, more);
  };
  more();
  AssertContains(f.Collect("s3://pcaps?region=eu-west-1", Given({{config::Opt::kMaxWait, "30"}})),
                 "still appearing in the bucket when max-wait was over");
}

void ADirectoryIsNotItsNeighbor(void**) {
  Scene f;
  f.store.objects = {{"dir/" + Key("_a"), File({"1"})},
                     {"dir-old/" + Key("_a"), File({"2"})},
                     {"dir/backup/" + Key("_a"), File({"3"})}};
  AssertContains(f.Collect("s3://pcaps/dir?region=eu-west-1"), "dir/" + Key("_a") + ":1");
  assert_int_equal(f.store.reads, 1);
}

void WhatIsNotNamedLikeAFileIsSaid(void**) {
  Scene f;
  f.store.objects = {{Key("_a"), File({"1"})}, {Key("_a") + ".6eF3a1bC", "x"}};
  AssertText(f.Collect(),
             Key("_a") + ":1|" + Key("_a") + ".6eF3a1bC, not named like a file of the capture");
}

void GzipIsUnpacked(void**) {
  Scene f;
  const std::string file = File({"1", "2"});
  std::string packed(1000, '\0');
  z_stream stream = {};
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
  stream.avail_in = static_cast<uInt>(file.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  // By its bytes, whatever its name: Content-Encoding: gzip leaves the name as it is.
  f.store.objects = {{Key("_a") + ".gz", packed}, {Key("_b"), packed}};
  AssertContains(f.Collect(), Key("_a") + ".gz:2|" + Key("_b") + ", a copy of");
  // A limit beyond all reason bounds nothing.
  f.job.byte_limit = std::uint64_t{1} << 62;
  AssertContains(f.Collect(), Key("_a") + ".gz:2|");
}

void AFileThatCannotBeHadIsALossOfItsOwn(void**) {
  Scene f;
  f.store.objects = {{Key("_a"), File({"1"})}, {Key("_b"), File({"2"})}};
  f.store.on_read = [](const std::string& key, FakeAnswer& answer) {
    if (key == Key("_b"))
      answer = {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
  };
  const std::string text = f.Collect();
  AssertContains(text, Key("_a") + ":1 " + Key("_b") + ":0(");
  assert_false(f.all_failed);
  f.store.on_read = [](const std::string&, FakeAnswer& answer) {
    answer = {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
  };
  f.Collect();
  assert_true(f.all_failed);
}

void AStopGoesOnFetchingUntilItsWaitIsOver(void**) {
  Scene f;
  const std::string file = File({"1", "2", "3"});
  f.store.objects = {{Key("_a"), file}, {Key("_b"), file + "slow"}};
  f.store.on_read = [](const std::string& key, FakeAnswer& answer) {
    if (key != Key("_b")) return;
    answer.piece = 45;
    answer.gap = 10s;
  };
  f.loop.CallAt(f.loop.Steady() + 1s, [&] { f.stop.Request(); });
  f.loop.CallAt(f.loop.Steady() + 15s, [&] { f.stop.Deliver(); });
  const std::string text = f.Collect();
  AssertContains(text, Key("_a") + ":3 " + Key("_b") + ":");
  AssertContains(text, "was not fetched to its end");
  assert_int_equal(f.Elapsed(), 15);
}

void MoreFilesThanAreReadAreRefused(void**) {
  Scene f;
  f.store.page_size = 20'000;
  for (std::size_t i = 0; i <= FileCollection::kMostFiles; ++i) {
    f.store.objects[Key(Format("_%05zu", i))] = "x";
  }
  AssertContains(f.Collect(), "has 16,001 files, and at most 16,000 are read");
  assert_int_equal(f.store.reads, 0);
}

/// The listing's sizes are looked at before anything is fetched.
void MoreBytesThanFitAreRefused(void**) {
  Scene f;
  f.job.byte_limit = 1000;
  f.store.objects = {{Key(""), std::string(30 << 20, 'x')}};
  AssertContains(f.Collect(), "have more than 25,169,824 bytes in all");
  assert_int_equal(f.store.reads, 0);
}

/// Sizes that a listing makes up: their sum must not come round to nothing.
void SizesThatOverflowAreRefused(void**) {
  Scene f;
  f.store.listed_size = ~std::uint64_t{0} - (std::uint64_t{8} << 30) + 1;
  f.store.objects = {{Key("_a"), "x"}, {Key("_b"), "x"}};
  AssertContains(f.Collect(), "have more than 8,589,934,592 bytes in all");
  assert_int_equal(f.store.reads, 0);
}

void FilesOfAFolderAreReadWhereTheyAre(void**) {
  Scene f;
  const std::string bucket = f.folder / "bucket";
  std::filesystem::create_directory(bucket);
  std::ofstream(bucket + "/" + Key("_a")) << File({"1"});
  std::ofstream(bucket + "/." + Key("_a") + ".Xk3dP1") << File({"2"});
  std::filesystem::create_symlink(bucket + "/" + Key("_a"), bucket + "/" + Key("_latest"));
  const std::string kept = f.folder / "kept";
  const std::string text =
      f.Collect("file://" + bucket, Given({{config::Opt::kKeepOriginals, kept}}));
  AssertContains(text, Key("_a") + ":1|");
  AssertContains(text, "not named like a file of the capture");
  AssertContains(text, Key("_latest"));
  AssertText(ReadFile(kept + "/" + Key("_a")), File({"1"}));
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AllPacketsThatWereCapturedEndTheListing),
      cmocka_unit_test(OtherwiseTwoListingsAgree),
      cmocka_unit_test(FilesThatAppearOneByOneAreAllTaken),
      cmocka_unit_test(AFileThatGrowsIsReadAgain),
      cmocka_unit_test(MissingPacketsAreLookedForUnderAnyName),
      cmocka_unit_test(NoFileIsALossWhenTheWaitIsOver),
      cmocka_unit_test(NoMoreFilesAreLookedForAfterGivingUp),
      cmocka_unit_test(NoPacketsAreNoLoss),
      cmocka_unit_test(AListingThatNeverSettlesIsALoss),
      cmocka_unit_test(ADirectoryIsNotItsNeighbor),
      cmocka_unit_test(WhatIsNotNamedLikeAFileIsSaid),
      cmocka_unit_test(GzipIsUnpacked),
      cmocka_unit_test(AFileThatCannotBeHadIsALossOfItsOwn),
      cmocka_unit_test(AStopGoesOnFetchingUntilItsWaitIsOver),
      cmocka_unit_test(MoreFilesThanAreReadAreRefused),
      cmocka_unit_test(MoreBytesThanFitAreRefused),
      cmocka_unit_test(SizesThatOverflowAreRefused),
      cmocka_unit_test(FilesOfAFolderAreReadWhereTheyAre),
  };
  return cmocka_run_group_tests_name("file_collection", tests, nullptr, nullptr);
}
