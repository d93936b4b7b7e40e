// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_source.h"

namespace cloudflaredump {

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
                              const std::string& destination_conf) {
  const std::string& read_from = context.settings.Text(Opt::kReadFrom);
  auto conf = read_from.empty() ? ParseDestinationConf(destination_conf) : ParseReadFrom(read_from);
  if (!conf) return std::unexpected(conf.error());
  const BucketSettings settings{
      .keys = KeysOf(context.settings),
      .endpoint = context.settings.Text(Opt::kBucketEndpoint),
      .patience = std::chrono::seconds(context.settings.Number(Opt::kRetryTime))};
  auto bucket = OpenBucket(*conf, settings, ProcessEnvironment, http, context.loop);
  if (!bucket) return std::unexpected(bucket.error());
  return PartsPlace{.bucket = *std::move(bucket),
                    .folder = conf->kind == StoreKind::kFolder ? conf->directory : ""};
}

}  // namespace cloudflaredump
