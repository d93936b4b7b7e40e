// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "extcap/bucket/bucket.h"

namespace cloudflaredump::bucket {

/// Takes objects as they arrive, any number at a time. An object is named by its number in the
/// order of ObjectFetcher::Add, from 0. Called from EventLoop::RunUntil only; must not run the
/// loop.
class FetchReceiver {
 public:
  virtual ~FetchReceiver() = default;
  /// The next bytes of `object`. An Error gives it up and comes back through OnFetchEnd.
  virtual Result<void> OnFetchBytes(std::size_t object, std::span<const std::byte> bytes) = 0;
  /// The bytes so far were damaged on their way: the object comes again from its first byte.
  virtual void OnFetchRestart(std::size_t object) = 0;
  /// Once for each object, last: good only if every byte of it was delivered. The others go on.
  virtual void OnFetchEnd(std::size_t object, Result<void> end) = 0;
};

/// Reads many objects at once, each resumed where it broke off. Where the store tells an object's
/// MD5, its bytes are held against it, and the object is read again, a few times, if they differ.
class ObjectFetcher {
 public:
  struct Options {
    std::size_t max_at_once = 16;  ///< Reads, and so connections or descriptors, at a time.
    /// For how long an object may get no further before it is given up.
    Duration patience = std::chrono::minutes(10);
  };

  /// All must outlive this.
  ObjectFetcher(Bucket& bucket, system::EventLoop& loop, FetchReceiver& receiver, Options options);
  ObjectFetcher(const ObjectFetcher&) = delete;
  ObjectFetcher& operator=(const ObjectFetcher&) = delete;
  /// Ends all reads without OnFetchEnd.
  ~ObjectFetcher();

  /// Takes up one more object. Objects are begun in this order.
  void Add(StoredObject object);

  std::size_t objects() const { return objects_.size(); }
  std::size_t ended() const { return ended_; }  ///< Objects of which nothing more comes.
  bool done() const { return ended_ == objects_.size(); }
  std::uint64_t bytes() const { return bytes_; }                ///< Delivered, of all objects.
  std::uint64_t bytes_in_all() const { return bytes_in_all_; }  ///< That the objects have.

 private:
  class Object;

  void ScheduleFill();
  /// Begins reads while fewer than max_at_once are under way; from the loop.
  void Fill();

  Bucket& bucket_;
  system::EventLoop& loop_;
  FetchReceiver& receiver_;
  const Options options_;
  std::vector<std::unique_ptr<Object>> objects_;
  std::deque<Object*> queue_;  ///< Objects that wait for their read.
  std::size_t reading_ = 0;
  std::size_t ended_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_in_all_ = 0;
  system::EventLoop::Id fill_ = 0;
};

}  // namespace cloudflaredump::bucket
