// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/part_source.h"

namespace cloudflaredump::pcap {

/// Keeps the bytes of parts between their transfers, which push them here a few parts at a time,
/// and the merge, which reads all parts side by side. In memory up to a limit; what is beyond that
/// goes to one private file without a name, whose room is used again. One file descriptor in all.
/// Must outlive its sources. For one thread.
class Spool {
 public:
  struct Limits {
    std::size_t memory = std::size_t{24} << 20;
    /// For the file. Empty: $TMPDIR, else /var/tmp, where temporary files may be large.
    std::string folder = {};
  };

  Spool();
  explicit Spool(Limits limits);
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  /// A part of which nothing has come yet. All parts of a merge are added before the first byte.
  /// The first is number 0, the next 1, and so on.
  std::size_t AddPart();

  /// Where the merge reads the part. Once for each part.
  std::unique_ptr<PartSource> Source(std::size_t part);

  /// The next bytes of a part. After an Error (the disk is full) nobody knows how many of them were
  /// taken: the caller ends the part with Fail. Once its source is gone, because the merge met
  /// damage in it, the rest is taken and thrown away.
  Result<void> Append(std::size_t part, std::span<const std::byte> bytes);

  /// The part has come to its end.
  void Finish(std::size_t part);
  /// The part will not come further, and why: what came is delivered, the rest marked as lost.
  void Fail(std::size_t part, Error error);

  /// The part should not be sent further for now: its reader is behind, memory is used up, and the
  /// merge can go on without more of it. To be asked after each Append, and again for each paused
  /// part when the merge has read on. While the merge waits for bytes (Merge::Step::kNeedsBytes)
  /// nobody may stay paused: a pause holds a connection that the part it waits for may need.
  bool Full(std::size_t part) const;

  std::size_t memory_used() const { return memory_used_; }
  /// Size of the file: the most that was in it at a time, in whole extents.
  std::uint64_t file_size() const { return file_size_; }

 private:
  class Reader;
  /// A piece of a part: in memory, or in the file.
  struct Extent {
    std::unique_ptr<std::byte[]> memory;
    std::uint64_t place = 0;  ///< In the file, if not in memory.
    std::size_t capacity = 0;
    std::size_t begin = 0;  ///< What was not read yet: from here …
    std::size_t end = 0;    ///< … to here.
  };
  struct Part {
    std::deque<Extent> extents;
    std::uint64_t unread = 0;
    bool begun = false;
    bool ended = false;
    bool discarded = false;  ///< The merge reads no more of it.
    std::optional<Error> failure;
  };

  Result<void> AddExtent(Part& part, std::size_t wanted);
  Result<void> Store(Extent& extent, std::span<const std::byte> bytes);
  Result<void> Load(const Extent& extent, std::span<std::byte> to);
  void Free(Extent& extent);
  Result<void> OpenFile();
  Result<std::size_t> Read(Part& part, std::span<std::byte> to);
  void Discard(Part& part);
  void Begin(Part& part);

  Limits limits_;
  std::deque<Part> parts_;
  std::size_t not_begun_ = 0;
  std::size_t memory_used_ = 0;
  int file_ = -1;
  std::uint64_t file_size_ = 0;
  std::vector<std::uint64_t> free_places_;
};

}  // namespace cloudflaredump::pcap
