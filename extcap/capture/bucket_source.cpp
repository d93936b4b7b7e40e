// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_source.h"

#include <algorithm>
#include <filesystem>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

/// The folder that captures are read from by these settings; empty if it is a bucket.
std::string FolderToRead(const config::Settings& settings) {
  const std::string& read_from = settings.Text(config::Opt::kReadFrom);
  const auto conf = read_from.empty()
                        ? bucket::ParseDestinationConf(settings.Text(config::Opt::kDestinationConf))
                        : bucket::ParseReadFrom(read_from);
  return conf && conf->kind == bucket::StoreKind::kFolder ? conf->directory : "";
}

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

bool IsOfEnvironment(const config::Settings& settings, config::Opt id) {
  return settings.At(id).source == config::Source::kEnvironment;
}

/// The pair of keys that the settings hold; empty unless both come from the same place.
bucket::BucketKeys PairOf(const config::Settings& settings, config::Opt id, config::Opt secret) {
  if (settings.At(id).source != settings.At(secret).source) return {};
  return {.access_key_id = settings.Text(id),
          .secret_access_key = settings.Text(secret),
          .source = settings.At(id).where};
}

}  // namespace

Result<void> CheckNotRead(const config::Settings& settings, const std::string& path,
                          const char* option) {
  namespace fs = std::filesystem;
  const std::string folder = FolderToRead(settings);
  std::error_code error;
  if (folder.empty() || !fs::is_regular_file(path, error)) return {};
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(".pcap") && !name.ends_with(".pcap.gz")) continue;
    std::error_code unlike;
    if (!fs::equivalent(at->path(), path, unlike)) continue;
    return Fail(CleanLine(path) + " is a file of the folder that is read, and would be overwritten",
                std::string("give another file with ") + option, Error::Kind::kUsage);
  }
  return {};
}

bucket::BucketSettings BucketSettingsOf(const config::Settings& settings, api::PcapsApi& api,
                                        system::StopRequests& stop, Duration patience) {
  using config::Opt;
  const auto stopping = [&stop] {
    stop.TakeSignals();
    return stop.AtLeast(system::StopLevel::kStop);
  };
  bucket::BucketSettings bucket{.patience = patience};
  // AWS's environment is asked by the bucket module itself, which knows what counts more there.
  if (!IsOfEnvironment(settings, Opt::kBucketEndpoint)) {
    bucket.s3_endpoint = settings.Text(Opt::kBucketEndpoint);
  }
  bucket.r2_endpoint = settings.Text(Opt::kR2Endpoint);
  bucket.gcs_endpoint = settings.Text(Opt::kGcsEndpoint);
  bucket.keys.r2 = PairOf(settings, Opt::kR2AccessKeyId, Opt::kR2SecretAccessKey);
  bucket.keys.gcs = PairOf(settings, Opt::kGcsAccessKeyId, Opt::kGcsSecretAccessKey);
  bucket.keys.aws_profile = settings.Text(Opt::kAwsProfile);
  if (!IsOfEnvironment(settings, Opt::kAwsAccessKeyId) &&
      settings.At(Opt::kAwsProfile).source >= settings.At(Opt::kAwsAccessKeyId).source) {
    bucket.keys.s3 = PairOf(settings, Opt::kAwsAccessKeyId, Opt::kAwsSecretAccessKey);
    if (!IsOfEnvironment(settings, Opt::kAwsSessionToken)) {
      bucket.keys.s3.session_token = settings.Text(Opt::kAwsSessionToken);
    }
  }
  if (const auto credentials = config::FindCredentials(settings)) {
    bucket.keys.api_token = credentials->token;
  }
  bucket.keys.token_id = [&api, stopping](const std::string& account_id) {
    return api.TokenId(account_id, {.retry_budget = std::chrono::seconds(5), .stop = stopping});
  };
  bucket.keys.tool.stop = stopping;
  return bucket;
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
        "give another folder with the option keep-originals", Error::Kind::kUsage);
  }
  const bucket::BucketSettings settings =
      BucketSettingsOf(context.settings, context.api, context.stop, patience);
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
                  "give it with the option read-from");
    }
    const auto conf = bucket::ParseDestinationConf(written);
    if (conf && conf->kind == bucket::StoreKind::kFolder &&
        bucket::WithoutKeys(written) != bucket::WithoutKeys(own)) {
      return Fail("the files of capture " + job.id + " are said to be in the folder " +
                      CleanLine(conf->directory),
                  "if you trust that, give the folder with the option read-from");
    }
  }
  return OpenSource(context, written, context.WithJob().retry_budget);
}

}  // namespace cloudflaredump::capture
