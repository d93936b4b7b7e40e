// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/text.h"

namespace cloudflaredump::system {

FileSink::~FileSink() {
  if (fd_ >= 0) close(fd_);
}

std::unexpected<Error> FileSink::Failed(const char* doing) {
  failed_ = true;
  return Fail(Format("cannot %s %s: %s", doing, CleanLine(path_).c_str(), std::strerror(errno)),
              std::string("give another file with ") + option_);
}

Result<void> FileSink::Check() {
  struct stat status = {};
  if (stat(path_.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return Failed("write");
  }
  if (access(path_.c_str(), W_OK) == 0) return {};
  if (errno != ENOENT) return Failed("write");
  // A link may lead to where nothing is yet.
  namespace fs = std::filesystem;
  constexpr int kMostLinks = 40;
  std::error_code none;
  fs::path place = path_;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(place, none)); ++i) {
    place = place.parent_path() / fs::read_symlink(place, none);
  }
  const std::string parent = place.parent_path();
  const char* const folder = parent.empty() ? "." : parent.c_str();
  if (access(folder, W_OK | X_OK) != 0) return Failed("create");
  if (stat(folder, &status) == 0 && status.st_nlink == 0) {  // deleted while we are in it
    errno = ENOENT;
    return Failed("create");
  }
  return {};
}

Result<void> FileSink::Write(std::string_view bytes) {
  if (failed_) {
    errno = EIO;
    return Failed("write");
  }
  if (fd_ < 0) {
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) return Failed("create");
  }
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> FileSink::Close() {
  const int fd = fd_;
  fd_ = -1;
  if (fd >= 0 && close(fd) != 0 && errno != EINTR) return Failed("write");
  return {};
}

}  // namespace cloudflaredump::system
