// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/private_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/text.h"

namespace cloudflaredump::system {
namespace {

std::unexpected<Error> CannotWrite(const std::string& path, int error) {
  return Fail(Format("cannot write %s: %s", CleanLine(path).c_str(), std::strerror(error)));
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

int OpenPrivateForAppend(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
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
