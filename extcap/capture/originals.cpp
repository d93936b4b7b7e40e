// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/originals.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::capture {
namespace {

/// Hashes `text` into a few letters.
std::string ShortDigest(const std::string& text) {
  constexpr std::size_t kLetters = 16;
  char* const hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text.c_str(), -1);
  std::string digest(hex, kLetters);
  g_free(hex);
  return digest;
}

/// Makes a file name of an object's key, which anybody may have chosen: slashes and all but plain
/// characters as `_`, never a leading dot. A key that is not its own name gets a digest, so that
/// two keys never share one.
std::string SafeFileName(const std::string& original) {
  constexpr std::size_t kLongestName = 200;
  constexpr std::string_view kPlain = "._-+=@";
  const std::string key = Redact(original);
  std::string name;
  for (const char c : key) {
    const bool plain = g_ascii_isalnum(c) || kPlain.find(c) != std::string_view::npos;
    name += plain ? c : '_';
  }
  if (name.size() > kLongestName) name = name.substr(name.size() - kLongestName);
  if (name.empty() || name.front() == '.') name.insert(0, 1, '_');
  return name == original ? name : ShortDigest(original) + "-" + name;
}

}  // namespace

Originals::Originals(const CaptureContext& context)
    : context_(context), folder_(context.settings.Text(config::Opt::kKeepOriginals)) {
  if (!folder_.empty() && g_mkdir_with_parents(folder_.c_str(), 0700) != 0) {
    Complain(folder_, errno);
  }
}

void Originals::Complain(const std::string& path, int error) {
  if (std::exchange(complained_, true)) return;
  context_.Warn("the original file was not kept: cannot write " + CleanLine(path) + ": " +
                g_strerror(error) + (error == EEXIST ? " already, and stays as it is." : "."));
}

void Originals::Keep(const std::string& key, pcap::FileBytes& file) {
  if (folder_.empty()) return;
  const std::string path =
      folder_ + "/" + SafeFileName(key) + (file.loss() != nullptr ? ".incomplete" : "");
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Complain(path, errno);
  std::vector<std::byte> piece(std::min<std::uint64_t>(file.size(), std::uint64_t{1} << 20));
  int error = 0;
  for (std::uint64_t at = 0; at < file.size() && error == 0;) {
    const auto part =
        std::span(piece).first(std::min<std::uint64_t>(piece.size(), file.size() - at));
    if (!file.Read(at, part)) error = EIO;
    for (std::size_t done = 0; done < part.size() && error == 0;) {
      const ssize_t n = write(fd, part.data() + done, part.size() - done);
      if (n < 0 && errno != EINTR) error = errno;
      if (n > 0) done += static_cast<std::size_t>(n);
    }
    at += part.size();
  }
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0) return;
  unlink(path.c_str());
  Complain(path, error);
}

}  // namespace cloudflaredump::capture
