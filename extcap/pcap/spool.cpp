// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/spool.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace cloudflaredump::pcap {
namespace {

/// Of the file; in memory the first extents of a part are smaller, for many parts are small.
constexpr std::size_t kExtent = 65536;
constexpr std::size_t kLeastExtent = 4096;

/// Unread bytes with which a merge cannot be waiting for the part: a window and the largest packet
/// fit several times.
constexpr std::uint64_t kPlenty = std::uint64_t{1} << 20;

Error FileError(const std::string& folder, const char* doing, int code) {
  Error error{.what = "the temporary file in " + CleanLine(folder) + " cannot be " + doing + ": " +
                      g_strerror(code)};
  if (code == ENOSPC || code == EDQUOT || code == EACCES || code == ENOENT || code == EROFS) {
    error.remedy = "set TMPDIR to a folder with room for the capture";
  }
  return error;
}

std::string DefaultFolder() {
  const char* const chosen = g_getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

/// A file for its owner only, without a name; -1 and errno on failure.
int OpenUnnamed(const std::string& folder) {
  const int file = open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return file;
  // File systems without O_TMPFILE, such as overlays of older kernels.
  std::string name = folder + "/cloudflaredump-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

class Spool::Reader final : public PartSource {
 public:
  Reader(Spool& spool, Part& part) : spool_(spool), part_(part) {}
  ~Reader() override { spool_.Discard(part_); }

  std::uint64_t Available() override { return part_.unread; }
  bool Ended() override { return part_.ended; }
  Result<std::size_t> Read(std::span<std::byte> to) override { return spool_.Read(part_, to); }
  const Error* Failure() override { return part_.failure ? &*part_.failure : nullptr; }

 private:
  Spool& spool_;
  Part& part_;
};

Spool::Spool() : Spool(Limits()) {}

Spool::Spool(Limits limits) : limits_(std::move(limits)) {
  if (limits_.folder.empty()) limits_.folder = DefaultFolder();
}

Spool::~Spool() {
  if (file_ >= 0) close(file_);
}

std::size_t Spool::AddPart() {
  parts_.emplace_back();
  ++not_begun_;
  return parts_.size() - 1;
}

std::unique_ptr<PartSource> Spool::Source(std::size_t part) {
  return std::make_unique<Reader>(*this, parts_.at(part));
}

Result<void> Spool::Append(std::size_t number, std::span<const std::byte> bytes) {
  Part& part = parts_.at(number);
  Begin(part);
  if (part.discarded) return {};
  while (!bytes.empty()) {
    if (part.extents.empty() || part.extents.back().end == part.extents.back().capacity) {
      if (const Result<void> added = AddExtent(part, bytes.size()); !added) return added;
    }
    Extent& extent = part.extents.back();
    const auto piece = bytes.first(std::min(bytes.size(), extent.capacity - extent.end));
    if (const Result<void> stored = Store(extent, piece); !stored) return stored;
    part.unread += piece.size();
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

void Spool::Finish(std::size_t number) {
  Begin(parts_.at(number));
  parts_[number].ended = true;
}

void Spool::Fail(std::size_t number, Error error) {
  Finish(number);
  parts_[number].failure = std::move(error);
}

bool Spool::Full(std::size_t number) const {
  return not_begun_ == 0 && memory_used_ + kExtent > limits_.memory &&
         parts_.at(number).unread >= kPlenty;
}

void Spool::Begin(Part& part) {
  if (!part.begun) --not_begun_;
  part.begun = true;
}

/// An extent behind the part's others: in memory while there is some, else in the file.
Result<void> Spool::AddExtent(Part& part, std::size_t wanted) {
  Extent extent;
  const std::size_t before = part.extents.empty() ? 0 : part.extents.back().capacity;
  extent.capacity = std::clamp(std::max(wanted, 2 * before), kLeastExtent, kExtent);
  if (memory_used_ + extent.capacity <= limits_.memory) {
    extent.memory = std::make_unique_for_overwrite<std::byte[]>(extent.capacity);
    memory_used_ += extent.capacity;
  } else {
    if (const Result<void> opened = OpenFile(); !opened) return opened;
    extent.capacity = kExtent;
    if (free_places_.empty()) {
      free_places_.push_back(file_size_);
      file_size_ += kExtent;
    }
    extent.place = free_places_.back();
    free_places_.pop_back();
  }
  part.extents.push_back(std::move(extent));
  return {};
}

Result<void> Spool::Store(Extent& extent, std::span<const std::byte> bytes) {
  if (extent.memory != nullptr) {
    std::memcpy(&extent.memory[extent.end], bytes.data(), bytes.size());
  } else {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = pwrite(file_, bytes.data() + done, bytes.size() - done,
                               static_cast<off_t>(extent.place + extent.end + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::unexpected(FileError(limits_.folder, "written", n < 0 ? errno : EIO));
      done += static_cast<std::size_t>(n);
    }
  }
  extent.end += bytes.size();
  return {};
}

Result<void> Spool::Load(const Extent& extent, std::span<std::byte> to) {
  if (extent.memory != nullptr) {
    std::memcpy(to.data(), &extent.memory[extent.begin], to.size());
    return {};
  }
  for (std::size_t done = 0; done < to.size();) {
    const ssize_t n = pread(file_, to.data() + done, to.size() - done,
                            static_cast<off_t>(extent.place + extent.begin + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected(FileError(limits_.folder, "read", n < 0 ? errno : EIO));
    done += static_cast<std::size_t>(n);
  }
  return {};
}

void Spool::Free(Extent& extent) {
  if (extent.memory != nullptr) {
    memory_used_ -= extent.capacity;
  } else {
    free_places_.push_back(extent.place);
  }
}

Result<void> Spool::OpenFile() {
  if (file_ >= 0) return {};
  file_ = OpenUnnamed(limits_.folder);
  if (file_ < 0) return std::unexpected(FileError(limits_.folder, "made", errno));
  return {};
}

Result<std::size_t> Spool::Read(Part& part, std::span<std::byte> to) {
  std::size_t got = 0;
  while (got < to.size() && part.unread > 0) {
    Extent& extent = part.extents.front();
    const auto piece = to.subspan(got, std::min(to.size() - got, extent.end - extent.begin));
    if (const Result<void> loaded = Load(extent, piece); !loaded) {
      return Failure(loaded);
    }
    extent.begin += piece.size();
    got += piece.size();
    part.unread -= piece.size();
    // The last extent may still be filled, unless it is full.
    if (extent.begin == extent.end && (part.extents.size() > 1 || extent.end == extent.capacity)) {
      Free(extent);
      part.extents.pop_front();
    }
  }
  return got;
}

/// The merge reads no more of the part.
void Spool::Discard(Part& part) {
  for (Extent& extent : part.extents) Free(extent);
  part.extents.clear();
  part.unread = 0;
  part.discarded = true;
}

}  // namespace cloudflaredump::pcap
