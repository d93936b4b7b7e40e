// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_source.h"

#include <algorithm>
#include <filesystem>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

/// Whether `folder`, there or not, is `other` or lies in it.
bool IsWithin(const std::string& folder, const std::string& other) {
  if (folder.empty()) return false;
  std::error_code error;
  const auto inner = std::filesystem::weakly_canonical(folder, error);
  if (error) return false;
  const auto outer = std::filesystem::weakly_canonical(other, error);
  if (error) return false;
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

bucket::BucketKeys KeysOf(const config::Settings& settings) {
  // The environment is asked by the bucket module itself, which knows what belongs together there.
  const auto from_file = [&](config::Opt id) {
    const config::Setting& setting = settings.At(id);
    return setting.source == config::Source::kFile || setting.source == config::Source::kGiven
               ? setting.value
               : "";
  };
  bucket::BucketKeys keys;
  keys.access_key_id = from_file(config::Opt::kAwsAccessKeyId);
  keys.secret_access_key = from_file(config::Opt::kAwsSecretAccessKey);
  keys.session_token = from_file(config::Opt::kAwsSessionToken);
  keys.source = settings.At(config::Opt::kAwsAccessKeyId).where;
  return keys;
}

Result<FilesPlace> OpenSource(const CaptureContext& context, const std::string& destination_conf,
                              Duration patience) {
  const std::string& read_from = context.settings.Text(config::Opt::kReadFrom);
  auto conf = read_from.empty() ? bucket::ParseDestinationConf(destination_conf)
                                : bucket::ParseReadFrom(read_from);
  if (!conf) return Failure(conf);
  const std::string& originals = context.settings.Text(config::Opt::kKeepOriginals);
  if (conf->kind == bucket::StoreKind::kFolder && IsWithin(originals, conf->directory)) {
    return Fail(
        Format("the files are read from %s already, and copies in it would be taken for more files",
               CleanLine(conf->directory).c_str()),
        "give another folder with --keep-originals", Error::Kind::kUsage);
  }
  const bucket::BucketSettings settings{
      .keys = KeysOf(context.settings),
      .endpoint = context.settings.Text(config::Opt::kBucketEndpoint),
      .patience = patience};
  auto bucket =
      bucket::OpenBucket(*conf, settings, context.environment, context.http, context.loop);
  if (!bucket) return Failure(bucket);
  return FilesPlace{.bucket = *std::move(bucket),
                    .folder = conf->kind == bucket::StoreKind::kFolder ? conf->directory : ""};
}

Result<FilesPlace> OpenSourceOf(const CaptureContext& context, const api::PcapJob& job) {
  const std::string& own = context.settings.Text(config::Opt::kDestinationConf);
  const std::string written = job.destination_conf.value_or(own);
  if (!context.settings.Has(config::Opt::kReadFrom)) {
    if (written.empty()) {
      return Fail("Cloudflare does not say in which bucket the files of capture " + job.id + " are",
                  "give it with --read-from");
    }
    const auto conf = bucket::ParseDestinationConf(written);
    if (conf && conf->kind == bucket::StoreKind::kFolder &&
        bucket::WithoutKeys(written) != bucket::WithoutKeys(own)) {
      return Fail("the files of capture " + job.id + " are said to be in the folder " +
                      CleanLine(conf->directory),
                  "if you trust that, give the folder with --read-from");
    }
  }
  return OpenSource(context, written, context.WithJob().retry_budget);
}

}  // namespace cloudflaredump::capture
