// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "extcap/bucket/bucket.h"
#include "extcap/bucket/store_address.h"
#include "extcap/bucket/store_error.h"

namespace cloudflaredump::bucket {

/// A bucket of an S3-compatible store: ListObjectsV2 and GetObject, signed with SigV4, or with a
/// Google bearer token.
class RemoteBucket final : public Bucket {
 public:
  RemoteBucket(const DestinationConf& conf, StoreAddress address, KeySource keys, Duration patience,
               http::Http& http, system::EventLoop& loop);
  ~RemoteBucket() override;

  const std::string& directory() const override { return directory_; }
  Result<std::vector<StoredObject>> List(const std::string& prefix,
                                         const std::function<bool()>& stop) override;
  Result<void> Probe(const std::function<bool()>& stop) override;
  Read StartRead(const StoredObject& object, std::uint64_t offset,
                 ObjectReceiver& receiver) override;
  void Cancel(Read read) override;
  std::string KeysFrom() const override { return keys_.name(); }

 private:
  class ObjectRead;
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  /// A signed request, with the keys of this moment.
  Result<http::HttpRequest> Request(const std::string& path_and_query);
  Result<Parameters> NextPage(const ListingPage& page, std::string& last) const;
  Result<ListingPage> ListPage(const Parameters& parameters, const std::function<bool()>& stop);

  const StoreContext context_;
  const std::string directory_;  ///< What keys begin with: empty, or with a slash at its end.
  const StoreAddress address_;
  KeySource keys_;
  const Duration patience_;
  http::Http& http_;
  system::EventLoop& loop_;
  std::map<Read, std::unique_ptr<ObjectRead>> reads_;
  Read last_ = 0;
};

}  // namespace cloudflaredump::bucket
