// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/private_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "common/text.h"

namespace cloudflaredump::system {
namespace {

std::unexpected<Error> CannotWrite(const std::string& path, int error) {
  return Fail(Format("cannot write %s: %s", CleanLine(path).c_str(), std::strerror(error)));
}

/// A descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string Named(const std::string& what, const std::string& path) {
  return "the " + what + " " + CleanLine(path);
}

/// The status of an open file, which must be a regular one.
Result<struct stat> StatusOf(int fd, const std::string& name) {
  struct stat status = {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return Fail(name + " is not a regular file");
  }
  return status;
}

bool WriteAll(int fd, const std::string& content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
}

}  // namespace

Result<std::optional<FileContent>> ReadRegularFile(const std::string& what,
                                                   const std::string& path) {
  constexpr std::size_t kLargest = std::size_t{1} << 20;
  const std::string name = Named(what, path);
  const File file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.fd() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return Fail(Format("cannot read %s: %s", name.c_str(), std::strerror(errno)));
  }
  const auto status = StatusOf(file.fd(), name);
  if (!status) return Failure(status);
  FileContent content{.bytes = {}, .mode = status->st_mode, .owner = status->st_uid};
  char piece[4096];
  for (;;) {
    const ssize_t n = read(file.fd(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(Format("cannot read %s: %s", name.c_str(), std::strerror(errno)));
    if (n == 0) return content;
    content.bytes.append(piece, static_cast<std::size_t>(n));
    if (content.bytes.size() > kLargest) return Fail(name + " is larger than 1 MiB");
  }
}

Result<void> CheckTrusted(const std::string& what, const std::string& path, uid_t owner,
                          unsigned mode) {
  if (owner != geteuid() && owner != 0) {
    return Fail(Named(what, path) + " belongs to another user", "use a file of your own");
  }
  if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Fail("others can write to " + Named(what, path), "run: chmod 600 " + ShellQuote(path));
  }
  return {};
}

Result<int> OpenPrivateForAppend(const std::string& what, const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const std::string name = Named(what, path);
  File file(open(path.c_str(), kFlags | O_NOCTTY, 0600));
  if (file.fd() < 0) {
    if (errno == ELOOP) return Fail(name + " is a symbolic link");
    if (errno == ENXIO) return Fail(name + " is not a regular file");
    return Fail(Format("cannot open %s: %s", name.c_str(), std::strerror(errno)));
  }
  const auto status = StatusOf(file.fd(), name);
  if (!status) return Failure(status);
  auto trusted = CheckTrusted(what, path, status->st_uid, status->st_mode);
  if (!trusted) return Failure(trusted);
  if (OthersMayRead(status->st_mode) && fchmod(file.fd(), 0600) != 0) {
    return Fail("others can read " + name, "run: chmod 600 " + ShellQuote(path));
  }
  return file.Release();
}

bool OthersMayRead(unsigned mode) {
  return (mode & (S_IRGRP | S_IROTH)) != 0;
}

Result<void> ReplacePrivateFile(const std::string& path, const std::string& content) {
  char* const folder = g_path_get_dirname(path.c_str());
  const int made = g_mkdir_with_parents(folder, 0700);
  g_free(folder);
  if (made != 0) return CannotWrite(path, errno);
  std::string temporary = path + ".XXXXXX";
  const int fd = g_mkstemp_full(temporary.data(), O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return CannotWrite(path, errno);
  const bool written = WriteAll(fd, content);
  const int write_error = errno;
  close(fd);
  if (!written) {
    unlink(temporary.c_str());
    return CannotWrite(path, write_error);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int rename_error = errno;
    unlink(temporary.c_str());
    return CannotWrite(path, rename_error);
  }
  return {};
}

}  // namespace cloudflaredump::system
