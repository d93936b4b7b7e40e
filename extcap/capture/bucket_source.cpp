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
  // The environment is asked by the bucket room itself, which knows what belongs together there.
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

Result<PartsPlace> OpenSource(const CaptureContext& context, http::Http& http,
                              const std::string& destination_conf, Duration patience) {
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
  auto bucket = bucket::OpenBucket(*conf, settings, system::ProcessEnvironment, http, context.loop);
  if (!bucket) return Failure(bucket);
  return PartsPlace{.bucket = *std::move(bucket),
                    .folder = conf->kind == bucket::StoreKind::kFolder ? conf->directory : ""};
}

}  // namespace cloudflaredump::capture
