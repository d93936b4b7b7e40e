// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/file_parts.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/text.h"

namespace cloudflaredump::pcap {

/// One file. The first opening decides its size and identity; a file that is another one when it
/// is opened again, or has become shorter, ends with an Error.
class FilePart final : public PartSource {
 public:
  FilePart(FileParts& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~FilePart() override { Close(); }

  std::uint64_t Available() override {
    if (!known_) OpenFirst();
    return size_ - position_;
  }

  bool Ended() override { return true; }

  Result<std::size_t> Read(std::span<std::byte> to) override {
    const std::size_t wanted = std::min<std::uint64_t>(to.size(), Available());
    if (const Result<void> opened = Reopen(); !opened) return std::unexpected(opened.error());
    std::size_t got = 0;
    while (got < wanted) {
      const ssize_t n =
          pread(descriptor_, to.data() + got, wanted - got, static_cast<off_t>(position_ + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Fail(std::string("the file cannot be read: ") + g_strerror(errno));
      if (n == 0) return Fail("the file became shorter while it was read");
      got += static_cast<std::size_t>(n);
    }
    position_ += got;
    if (position_ == size_) Close();
    return got;
  }

  const Error* Failure() override { return failure_ ? &*failure_ : nullptr; }

  void Close() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    descriptor_ = -1;
    files_.open_.erase(place_);
  }

 private:
  void OpenFirst() {
    known_ = true;
    if (const Result<void> opened = Open(); !opened) failure_ = opened.error();
    size_ = failure_ ? 0 : static_cast<std::uint64_t>(identity_.st_size);
  }

  Result<void> Reopen() {
    if (descriptor_ >= 0) {
      files_.open_.splice(files_.open_.begin(), files_.open_, place_);
      return {};
    }
    const struct stat before = identity_;
    if (Result<void> opened = Open(); !opened) return opened;
    if (identity_.st_dev != before.st_dev || identity_.st_ino != before.st_ino ||
        identity_.st_size != before.st_size) {
      return Fail("the file was changed while it was read");
    }
    return {};
  }

  Result<void> Open() {
    files_.MakeRoom();
    // Not to wait for a writer, should the name be a FIFO's.
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
      return Fail(std::string("the file cannot be opened: ") + g_strerror(errno));
    }
    if (fstat(descriptor, &identity_) != 0 || !S_ISREG(identity_.st_mode)) {
      close(descriptor);
      return Fail("this is not a regular file");
    }
    descriptor_ = descriptor;
    place_ = files_.open_.insert(files_.open_.begin(), this);
    return {};
  }

  FileParts& files_;
  std::string path_;
  int descriptor_ = -1;
  std::list<FilePart*>::iterator place_;
  bool known_ = false;  ///< The file was opened once: size_ and identity_ are its own.
  struct stat identity_ = {};
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  std::optional<Error> failure_;
};

FileParts::FileParts(std::size_t most_open) : most_open_(std::max<std::size_t>(most_open, 1)) {}

FileParts::~FileParts() = default;

std::unique_ptr<PartSource> FileParts::Add(std::string path) {
  return std::make_unique<FilePart>(*this, std::move(path));
}

void FileParts::MakeRoom() {
  if (open_.size() >= most_open_) open_.back()->Close();
}

}  // namespace cloudflaredump::pcap
