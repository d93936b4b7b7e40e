// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/anonymous_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/platform.h"
#include "common/text.h"

namespace cloudflaredump::system {
namespace {

std::unexpected<Error> FileError(const std::string& folder, const char* doing, int code) {
  Error error{.what = "the temporary file in " + CleanLine(folder) + " cannot be " + doing + ": " +
                      g_strerror(code)};
  constexpr std::array kElsewhere = {ENOSPC, EDQUOT, EFBIG, EACCES, EPERM, ENOENT, ENOTDIR, EROFS};
  for (const int one : kElsewhere) {
    if (code == one) error.remedy = "set TMPDIR to a folder with room for the capture";
  }
  return std::unexpected(std::move(error));
}

std::string DefaultFolder() {
  const char* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

/// The two steps, of which a crash between them would leave an empty file behind.
int MakeAndUnlink(const std::string& folder) {
  std::string name = folder + "/cloudflaredump-XXXXXX";
  const int fd = g_mkstemp_full(name.data(), O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) unlink(name.c_str());
  return fd;
}

/// -1 and errno on failure.
int OpenUnnamed(const std::string& folder) {
#if CLOUDFLAREDUMP_HAVE_TMPFILE
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  // Some file systems cannot do it, such as overlays of older kernels and NFS.
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
#endif
  return MakeAndUnlink(folder);
}

}  // namespace

std::uint64_t FreeBytesForTemporaryFiles() {
  struct statvfs disk = {};
  if (statvfs(DefaultFolder().c_str(), &disk) != 0) return UINT64_MAX;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

Result<AnonymousFile> AnonymousFile::Make(std::string folder) {
  if (folder.empty()) folder = DefaultFolder();
  const int fd = OpenUnnamed(folder);
  if (fd < 0) return FileError(folder, "made", errno);
  return AnonymousFile(fd, std::move(folder));
}

AnonymousFile::AnonymousFile(AnonymousFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), folder_(std::move(other.folder_)) {}

AnonymousFile& AnonymousFile::operator=(AnonymousFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(folder_, other.folder_);
  return *this;
}

AnonymousFile::~AnonymousFile() {
  if (fd_ >= 0) close(fd_);
}

Result<void> AnonymousFile::WriteAt(std::uint64_t offset, std::span<const std::byte> bytes,
                                    std::uint64_t* written) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return FileError(folder_, "written", n < 0 ? errno : EIO);
    offset += static_cast<std::uint64_t>(n);
    if (written != nullptr) *written += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::size_t> AnonymousFile::ReadAt(std::uint64_t offset, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t n =
        pread(fd_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(folder_, "read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace cloudflaredump::system
