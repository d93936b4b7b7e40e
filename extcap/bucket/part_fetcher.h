// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "extcap/bucket/bucket.h"

namespace cloudflaredump::bucket {

/// Takes the parts of a capture as they arrive, any number at a time. A part is named by its number
/// in the order of PartFetcher::Add, from 0. Called from EventLoop::RunUntil only; must not run the
/// loop. May call the PartFetcher's functions.
class PartReceiver {
 public:
  virtual ~PartReceiver() = default;
  /// The next bytes of `part`. An Error gives the part up and comes back through OnPartEnd.
  virtual Result<void> OnPartBytes(std::size_t part, std::span<const std::byte> bytes) = 0;
  /// Once for each part, last: good only if every byte of it was delivered. The other parts go on.
  virtual void OnPartEnd(std::size_t part, Result<void> end) = 0;
};

/// Reads many objects at once, each resumed where it broke off. Where the store tells an object's
/// MD5, its bytes are held against it: a small object is checked before any of it is delivered, and
/// read again, a few times, if it was spoilt on its way; a large one, delivered as it comes, ends
/// with an Error.
class PartFetcher {
 public:
  struct Options {
    std::size_t max_at_once = 16;  ///< Reads, and so connections or descriptors, at a time.
    /// For how long a part may get no further before it is given up.
    Duration patience = std::chrono::minutes(10);
  };

  /// All must outlive this.
  PartFetcher(Bucket& bucket, system::EventLoop& loop, PartReceiver& receiver, Options options);
  PartFetcher(const PartFetcher&) = delete;
  PartFetcher& operator=(const PartFetcher&) = delete;
  /// Ends all reads without OnPartEnd.
  ~PartFetcher();

  /// Takes up one more object and returns its part number. Parts are begun in this order.
  std::size_t Add(StoredObject object);

  /// No OnPartBytes of `part` until Resume. While others wait for a place its connection is given
  /// up, and it is asked for from there on later: no number of paused parts keeps others waiting.
  void Pause(std::size_t part);
  void Resume(std::size_t part);
  /// Gives `part` up without OnPartEnd.
  void Cancel(std::size_t part);

  std::size_t parts() const { return parts_.size(); }
  std::size_t ended() const { return ended_; }  ///< Parts of which nothing more comes.
  bool done() const { return ended_ == parts_.size(); }
  std::uint64_t bytes() const { return bytes_; }                ///< Delivered, of all parts.
  std::uint64_t bytes_in_all() const { return bytes_in_all_; }  ///< That the parts have.

 private:
  class Part;

  /// Puts `part` in the queue for a place.
  void Enqueue(Part& part, bool first);
  void ScheduleFill();
  /// Begins reads while there is room; from the loop.
  void Fill();
  /// Gives up the connection of a paused part, if there is one.
  bool ParkOne();
  void End(Part& part, Result<void> end);
  /// Reads on after a fault, once `wait` is over.
  void Retry(Part& part, Duration wait);

  Bucket& bucket_;
  system::EventLoop& loop_;
  PartReceiver& receiver_;
  const Options options_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::deque<std::size_t> queue_;  ///< Parts that wait for a place.
  std::set<std::size_t> reading_;  ///< Parts that have one.
  std::size_t ended_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_in_all_ = 0;
  system::EventLoop::Id fill_ = 0;
};

}  // namespace cloudflaredump::bucket
