// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/bucket/credentials.h"
#include "extcap/bucket/destination_conf.h"
#include "extcap/bucket/listing.h"
#include "extcap/http/http.h"
#include "extcap/system/event_loop.h"

namespace cloudflaredump::bucket {

/// How the reading of an object ended.
struct ObjectEnd {
  /// Good only if every byte of the object, as listed, has been delivered. kPassing: what is
  /// missing may be read from where it broke off; kFinal: not (changed, removed, refused).
  Result<void> result = {};
  std::string retry_after = {};  ///< The store's wish, for Backoff; empty if none.
  std::string md5 = {};          ///< Of the whole object, in hex, if the store told it; else empty.
};

/// Takes one object as it arrives. Called from EventLoop::RunUntil only; must not run the loop,
/// except in OnObjectEnd.
class ObjectReceiver {
 public:
  virtual ~ObjectReceiver() = default;
  /// The next bytes. An Error ends the read and comes back through OnObjectEnd.
  virtual Result<void> OnObjectBytes(std::span<const std::byte> bytes) = 0;
  /// Once, last. The receiver may be deleted in it.
  virtual void OnObjectEnd(ObjectEnd end) = 0;
};

/// A place with the files of full captures: a bucket of S3, Google, R2, or a folder.
class Bucket {
 public:
  using Read = unsigned;

  Bucket() = default;
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;
  virtual ~Bucket() = default;

  /// What every key that List gives begins with: empty, or with a slash at its end.
  virtual const std::string& directory() const = 0;

  /// The objects below the destination's directory whose key, from there on, begins with `prefix`;
  /// each key once, sorted, without placeholders of folders. Runs the loop, and tries again what
  /// may be tried again. Error: also more objects than kMostObjects. kInterrupted once `stop` says
  /// so.
  virtual Result<std::vector<StoredObject>> List(const std::string& prefix,
                                                 const std::function<bool()>& stop) = 0;

  /// Whether the directory can be listed, by a request for one key.
  virtual Result<void> Probe(const std::function<bool()>& stop) = 0;

  /// Starts to read `object` from byte `offset` (< its size, or 0) and returns a handle (> 0). An
  /// object that is not what was listed any more is an Error. `receiver` must live until its end or
  /// Cancel.
  virtual Read StartRead(const StoredObject& object, std::uint64_t offset,
                         ObjectReceiver& receiver) = 0;
  /// Ends a read without OnObjectEnd. Unknown and ended handles are ignored.
  virtual void Cancel(Read read) = 0;

  /// Where the keys are from that it is read with, as messages say it; empty for a folder.
  virtual std::string KeysFrom() const { return {}; }

  /// A listing of more objects, or of more pages, ends with an Error.
  static constexpr std::size_t kMostObjects = 500'000;
  static constexpr std::size_t kMostPages = 2'000;
};

/// How to get at a bucket, besides its address.
struct BucketSettings {
  KeySettings keys = {};
  /// From options and configuration, instead of each store's own; empty if none.
  std::string s3_endpoint = {};
  std::string r2_endpoint = {};
  std::string gcs_endpoint = {};
  /// How long failed listings are tried again.
  Duration patience = std::chrono::minutes(10);
};

/// The bucket or folder that `conf` names, with the keys and endpoint of `settings` and
/// `environment`. Asks for keys where they have to be asked for, but not the store yet. `http` and
/// `loop` must outlive it.
Result<std::unique_ptr<Bucket>> OpenBucket(const DestinationConf& conf,
                                           const BucketSettings& settings,
                                           const system::Environment& environment, http::Http& http,
                                           system::EventLoop& loop);

/// The whole of a small object, such as an ownership challenge: at most `max_size` bytes.
Result<std::string> ReadObject(Bucket& bucket, system::EventLoop& loop, const StoredObject& object,
                               std::size_t max_size, const std::function<bool()>& stop);

}  // namespace cloudflaredump::bucket
