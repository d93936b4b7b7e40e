// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_source.h"

#include <algorithm>
#include <filesystem>

#include "extcap/base/text.h"

namespace cloudflaredump {
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

BucketKeys KeysOf(const Settings& settings) {
  // The environment is asked by the bucket room itself, which knows what belongs together there.
  const auto from_file = [&](Opt id) {
    const Setting& setting = settings.At(id);
    return setting.source == Source::kFile || setting.source == Source::kGiven ? setting.value : "";
  };
  BucketKeys keys;
  keys.access_key_id = from_file(Opt::kAwsAccessKeyId);
  keys.secret_access_key = from_file(Opt::kAwsSecretAccessKey);
  keys.session_token = from_file(Opt::kAwsSessionToken);
  keys.source = settings.At(Opt::kAwsAccessKeyId).where;
  return keys;
}

Result<PartsPlace> OpenSource(const CaptureContext& context, Http& http,
                              const std::string& destination_conf, Duration patience) {
  const std::string& read_from = context.settings.Text(Opt::kReadFrom);
  auto conf = read_from.empty() ? ParseDestinationConf(destination_conf) : ParseReadFrom(read_from);
  if (!conf) return std::unexpected(conf.error());
  const std::string& originals = context.settings.Text(Opt::kKeepOriginals);
  if (conf->kind == StoreKind::kFolder && IsWithin(originals, conf->directory)) {
    return Fail(
        Format("the files are read from %s already, and copies in it would be taken for more "
               "files; give another folder with --keep-originals.",
               CleanLine(conf->directory).c_str()),
        Error::Kind::kUsage);
  }
  const BucketSettings settings{.keys = KeysOf(context.settings),
                                .endpoint = context.settings.Text(Opt::kBucketEndpoint),
                                .patience = patience};
  auto bucket = OpenBucket(*conf, settings, ProcessEnvironment, http, context.loop);
  if (!bucket) return std::unexpected(bucket.error());
  return PartsPlace{.bucket = *std::move(bucket),
                    .folder = conf->kind == StoreKind::kFolder ? conf->directory : ""};
}

}  // namespace cloudflaredump
