// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/disk_files.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cloudflaredump::pcap {
namespace {

/// What other parts of a process need: sockets, pipes, logs, a resolver.
constexpr std::size_t kReserve = 64;
constexpr std::size_t kLeastOpen = 16;
constexpr std::size_t kMostOpen = 2048;

std::size_t DescriptorsToUse() {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLeastOpen;
  const std::size_t allowed = std::min<rlim_t>(limit.rlim_cur, kMostOpen + kReserve);
  return std::max(allowed, kReserve + kLeastOpen) - kReserve;
}

}  // namespace

/// One file. Its first look decides size and identity: a file that is another one when it is opened
/// again, or has become shorter, ends with an Error.
class DiskFile final : public FileBytes {
 public:
  DiskFile(DiskFiles& files, std::string path) : files_(files), path_(std::move(path)) {
    if (lstat(path_.c_str(), &identity_) != 0) {
      SetLoss({.what = std::string("the file cannot be opened: ") + g_strerror(errno)});
    } else if (!S_ISREG(identity_.st_mode)) {
      SetLoss({.what = "this is not a regular file"});
    }
    size_ = loss() != nullptr ? 0 : static_cast<std::uint64_t>(identity_.st_size);
  }
  ~DiskFile() override { Close(); }

  std::uint64_t size() const override { return size_; }

  Result<void> Read(std::uint64_t offset, std::span<std::byte> to) override {
    if (auto opened = Reopen(); !opened) return opened;
    while (!to.empty()) {
      const ssize_t n = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Fail(std::string("the file cannot be read: ") + g_strerror(errno));
      if (n == 0) return Fail("the file became shorter while it was read");
      offset += static_cast<std::uint64_t>(n);
      to = to.subspan(static_cast<std::size_t>(n));
    }
    if (offset == size_) Close();
    return {};
  }

  void Close() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    descriptor_ = -1;
    files_.open_.erase(place_);
  }

 private:
  Result<void> Reopen() {
    if (descriptor_ >= 0) {
      files_.open_.splice(files_.open_.begin(), files_.open_, place_);
      return {};
    }
    files_.MakeRoom();
    // Never waits for a writer, should the name be a FIFO's by now.
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) return Fail(std::string("the file cannot be opened: ") + g_strerror(errno));
    struct stat now = {};
    if (fstat(fd, &now) != 0 || now.st_dev != identity_.st_dev || now.st_ino != identity_.st_ino ||
        now.st_size != identity_.st_size) {
      close(fd);
      return Fail("the file was changed while it was read");
    }
    descriptor_ = fd;
    place_ = files_.open_.insert(files_.open_.begin(), this);
    return {};
  }

  DiskFiles& files_;
  std::string path_;
  int descriptor_ = -1;
  std::list<DiskFile*>::iterator place_;
  struct stat identity_ = {};
  std::uint64_t size_ = 0;
};

DiskFiles::DiskFiles(std::size_t most_open)
    : most_open_(most_open == 0 ? DescriptorsToUse() : most_open) {}

DiskFiles::~DiskFiles() = default;

std::unique_ptr<FileBytes> DiskFiles::Open(std::string path) {
  return std::make_unique<DiskFile>(*this, std::move(path));
}

void DiskFiles::MakeRoom() {
  if (open_.size() >= most_open_) open_.back()->Close();
}

}  // namespace cloudflaredump::pcap
