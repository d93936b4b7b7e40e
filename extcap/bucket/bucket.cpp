// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/bucket.h"

#include "common/text.h"
#include "extcap/bucket/folder_bucket.h"
#include "extcap/bucket/remote_bucket.h"
#include "extcap/bucket/store_address.h"

namespace cloudflaredump::bucket {
namespace {

/// Gathers one object in memory.
class Gatherer : public ObjectReceiver {
 public:
  Result<void> OnObjectBytes(std::span<const std::byte> bytes) override {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  void OnObjectEnd(ObjectEnd end) override { end_ = std::move(end); }

  bool ended() const { return end_.has_value(); }

  Result<std::string> Take() {
    if (!end_->result) return Failure(end_->result);
    return std::move(text_);
  }

 private:
  std::string text_;
  std::optional<ObjectEnd> end_;
};

/// The endpoint that counts instead of the store's own; `of_aws` is what AWS's environment and
/// files say for S3.
const std::string& EndpointOf(StoreKind kind, const BucketSettings& settings,
                              const std::string& of_aws) {
  if (kind == StoreKind::kR2) return settings.r2_endpoint;
  if (kind == StoreKind::kGcs) return settings.gcs_endpoint;
  return settings.s3_endpoint.empty() ? of_aws : settings.s3_endpoint;
}

}  // namespace

Result<std::unique_ptr<Bucket>> OpenBucket(const DestinationConf& conf,
                                           const BucketSettings& settings,
                                           const system::Environment& environment, http::Http& http,
                                           system::EventLoop& loop) {
  if (conf.kind == StoreKind::kFolder) {
    return std::make_unique<FolderBucket>(conf.directory, loop);
  }
  Result<StoreKeys> found = FindStoreKeys(conf, settings.keys, environment, loop.Now());
  if (!found) return Failure(found);
  Result<StoreAddress> address =
      FindStore(conf, EndpointOf(conf.kind, settings, found->endpoint), found->region);
  if (!address) return Failure(address);
  address->ca_file = found->ca_file;
  if (auto allowed = http::CheckSpeed(loop.speed(), address->url); !allowed) {
    return Failure(allowed);
  }
  return std::make_unique<RemoteBucket>(conf, *std::move(address), std::move(found->keys),
                                        settings.patience, http, loop);
}

Result<std::string> ReadObject(Bucket& bucket, system::EventLoop& loop, const StoredObject& object,
                               std::size_t max_size, const std::function<bool()>& stop) {
  if (object.size > max_size) {
    return Fail(CleanLine(object.key, 120) + " has " + WithThousands(object.size) +
                " bytes, more than make sense here");
  }
  Gatherer gatherer;
  const Bucket::Read read = bucket.StartRead(object, 0, gatherer);
  const auto over = [&] { return gatherer.ended() || stop(); };
  constexpr Duration kLongest = std::chrono::minutes(2);
  const bool in_time = loop.RunUntil(over, loop.Steady() + loop.FromReal(kLongest));
  if (gatherer.ended()) return gatherer.Take();
  bucket.Cancel(read);
  if (in_time) return Stopped();
  return Fail("the bucket did not send all of " + CleanLine(object.key, 120) + " within " +
                  FormatSpan(kLongest),
              "check the network connection", Error::Kind::kPassing);
}

}  // namespace cloudflaredump::bucket
