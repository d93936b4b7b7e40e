// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/originals.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

/// A file name from an object's key, which anybody may have chosen: slashes and all but plain
/// characters as `_`, never a leading dot.
std::string SafeFileName(const std::string& key) {
  constexpr std::size_t kLongestName = 200;
  constexpr std::string_view kPlain = "._-+=@";
  std::string name;
  for (const char c : key) {
    const bool plain = g_ascii_isalnum(c) || kPlain.find(c) != std::string_view::npos;
    name += plain ? c : '_';
  }
  if (name.size() > kLongestName) name = name.substr(name.size() - kLongestName);
  if (name.empty() || name.front() == '.') name.insert(0, 1, '_');
  return name;
}

}  // namespace

Originals::Originals(const CaptureContext& context)
    : context_(context), folder_(context.settings.Text(config::Opt::kKeepOriginals)) {
  if (!folder_.empty() && g_mkdir_with_parents(folder_.c_str(), 0700) != 0) Complain(folder_);
}

Originals::~Originals() {
  for (const auto& [key, fd] : open_) close(fd);
}

std::string Originals::PathOf(const std::string& key) const {
  return folder_ + "/" + SafeFileName(key);
}

void Originals::Complain(const std::string& path) {
  const std::string why = std::strerror(errno);
  const std::string shown = CleanLine(path);
  folder_.clear();  // `path` may be it
  if (std::exchange(complained_, true)) return;
  context_.Warn(
      Format("the original files are not kept: cannot write %s: %s.", shown.c_str(), why.c_str()));
}

int Originals::Open(const std::string& key) {
  const auto found = open_.find(key);
  if (found != open_.end()) return found->second;
  const std::string path = PathOf(key) + ".part";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    Complain(path);
    return -1;
  }
  open_.emplace(key, fd);
  return fd;
}

void Originals::Append(const std::string& key, std::span<const std::byte> bytes) {
  if (folder_.empty()) return;
  const int fd = Open(key);
  while (fd >= 0 && !bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Complain(PathOf(key));
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void Originals::Finish(const std::string& key, bool whole) {
  if (folder_.empty()) return;
  // An empty file is an original, too.
  const int fd = Open(key);
  if (fd < 0) return;
  open_.erase(key);
  close(fd);
  const std::string path = PathOf(key);
  if (whole && rename((path + ".part").c_str(), path.c_str()) != 0) Complain(path);
}

}  // namespace cloudflaredump::capture
