// SPDX-License-Identifier: GPL-2.0-or-later
// The bucket module as a program, for tests against a real server:
//   bucket-probe probe DESTINATION                  nothing, if the destination can be listed
//   bucket-probe list  DESTINATION PREFIX           one JSON object a line for each stored object
//   bucket-probe fetch DESTINATION PREFIX FOLDER [AT-ONCE]
//                                                   each object into FOLDER/0, FOLDER/1, …, and one
//                                                   JSON object a line for each object as it ends;
//                                                   AT-ONCE: how many are read side by side
//   bucket-probe aws-file FILE...                   each file of AWS's as one JSON object
// PREFIX counts from the destination's directory on, and may be empty.
// Keys and endpoint come from the environment, as for the product. Errors go to stderr, exit 1.
#include <glib.h>
#include <jansson.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/aws_file.h"
#include "extcap/bucket/bucket.h"
#include "extcap/bucket/object_fetcher.h"
#include "extcap/http/curl_http.h"
#include "extcap/system/glib_event_loop.h"

namespace cloudflaredump {
namespace {

const auto kGoOn = [] { return false; };

/// Prints `values` as one line; bytes that are not UTF-8 are percent-encoded.
void PrintLine(const std::map<std::string, std::string>& values) {
  json_t* const object = json_object();
  for (const auto& [name, value] : values) {
    const bool valid = g_utf8_validate(value.c_str(), static_cast<gssize>(value.size()), nullptr);
    const std::string text = valid ? value : PercentEncode(value, "/");
    json_object_set_new(object, name.c_str(), json_stringn(text.data(), text.size()));
  }
  char* const line = json_dumps(object, JSON_COMPACT);
  std::puts(line);
  std::fflush(stdout);
  std::free(line);
  json_decref(object);
}

/// Writes each object into a file of its own.
class ObjectFiles : public bucket::FetchReceiver {
 public:
  ObjectFiles(std::string folder, const std::vector<bucket::StoredObject>& objects)
      : folder_(std::move(folder)), objects_(objects) {}

  Result<void> OnFetchBytes(std::size_t object, std::span<const std::byte> bytes) override {
    std::ofstream file(PathOf(object), std::ios::binary | std::ios::app);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file ? Result<void>() : Fail("the object's file cannot be written");
  }

  void OnFetchRestart(std::size_t object) override {
    std::ofstream(PathOf(object), std::ios::binary | std::ios::trunc);
  }

  void OnFetchEnd(std::size_t object, Result<void> end) override {
    PrintLine({{"object", std::to_string(object)},
               {"key", objects_[object].key},
               {"error", end ? "" : Redact(SentenceOf(end.error()))}});
    failed_ = failed_ || !end;
  }

  bool failed() const { return failed_; }

 private:
  std::string PathOf(std::size_t object) const { return folder_ + "/" + std::to_string(object); }

  const std::string folder_;
  const std::vector<bucket::StoredObject>& objects_;
  bool failed_ = false;
};

std::string Variable(const char* name) {
  const char* const value = g_getenv(name);
  return value == nullptr ? "" : value;
}

bucket::BucketKeys PairOf(const char* id, const char* secret) {
  return {.access_key_id = Variable(id), .secret_access_key = Variable(secret), .source = id};
}

Result<int> Run(const std::vector<std::string>& arguments) {
  const Result<bucket::DestinationConf> conf = bucket::ParseReadFrom(arguments[1]);
  if (!conf) return std::unexpected(conf.error());
  system::GlibEventLoop loop;
  http::CurlHttp http(loop);
  bucket::BucketSettings settings;
  settings.patience = std::chrono::seconds(5);
  settings.r2_endpoint = Variable("R2_ENDPOINT_URL");
  settings.gcs_endpoint = Variable("GCS_ENDPOINT_URL");
  settings.keys.r2 = PairOf("R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY");
  settings.keys.gcs = PairOf("GCS_ACCESS_KEY_ID", "GCS_SECRET_ACCESS_KEY");
  const Result<std::unique_ptr<bucket::Bucket>> bucket = bucket::OpenBucket(
      *conf, settings, [](const char* name) { return g_getenv(name); }, http, loop);
  if (!bucket) return std::unexpected(bucket.error());
  if (arguments[0] == "probe") {
    const Result<void> probed = (*bucket)->Probe(kGoOn);
    return probed ? Result<int>(0) : Failure(probed);
  }
  const Result<std::vector<bucket::StoredObject>> objects = (*bucket)->List(arguments[2], kGoOn);
  if (!objects) return std::unexpected(objects.error());
  if (arguments[0] == "list") {
    for (const bucket::StoredObject& object : *objects) {
      PrintLine(
          {{"key", object.key}, {"size", std::to_string(object.size)}, {"etag", object.etag}});
    }
    return 0;
  }
  ObjectFiles files(arguments[3], *objects);
  // Keeps the product's patience: a loaded machine can lose the bytes of several reads in a row.
  bucket::ObjectFetcher::Options options;
  if (arguments.size() > 4) options.max_at_once = ParseNumber(arguments[4]).value_or(1);
  bucket::ObjectFetcher fetcher(**bucket, loop, files, options);
  for (const bucket::StoredObject& object : *objects) fetcher.Add(object);
  while (!loop.RunUntil([&] { return fetcher.done(); }, loop.Steady() + std::chrono::hours(1))) {
  }
  return files.failed() ? 1 : 0;
}

/// Prints what is read of a file of AWS's.
Result<void> PrintAwsFile(const std::string& path) {
  const Result<std::string> text = bucket::ReadAwsText(path);
  if (!text) return Failure(text);
  json_t* const sections = json_object();
  for (const bucket::AwsSection& section : bucket::ParseAwsFile(*text)) {
    json_t* const values = json_object();
    for (const auto& [key, value] : section.values) {
      json_object_set_new(values, key.c_str(), json_string(value.c_str()));
    }
    json_object_set_new(sections, section.header.c_str(), values);
  }
  char* const line = json_dumps(sections, JSON_COMPACT);
  std::puts(line);
  std::free(line);
  json_decref(sections);
  return {};
}

Result<int> PrintAwsFiles(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (const Result<void> printed = PrintAwsFile(path); !printed) return Failure(printed);
  }
  return 0;
}

}  // namespace
}  // namespace cloudflaredump

int main(int argc, char** argv) {
  using namespace cloudflaredump;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool probe = arguments.size() == 2 && arguments[0] == "probe";
  const bool list = arguments.size() == 3 && arguments[0] == "list";
  const bool fetch = (arguments.size() == 4 || arguments.size() == 5) && arguments[0] == "fetch";
  const bool aws_file = arguments.size() > 1 && arguments[0] == "aws-file";
  if (!probe && !list && !fetch && !aws_file) {
    std::fputs(
        "usage: bucket-probe probe DESTINATION | list DESTINATION PREFIX | "
        "fetch DESTINATION PREFIX FOLDER [AT-ONCE] | aws-file FILE...\n",
        stderr);
    return 2;
  }
  const Result<int> status =
      aws_file ? PrintAwsFiles({arguments.begin() + 1, arguments.end()}) : Run(arguments);
  if (status) return *status;
  std::fprintf(stderr, "%s\n", Redact(SentenceOf(status.error())).c_str());
  return 1;
}
