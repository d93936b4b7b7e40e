// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/secret_words.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::config {
namespace {

/// More than a pipe holds.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

/// Creates a pipe that holds `bytes`, its reading end inherited across exec; -1 on failure, or if
/// it cannot hold them.
int PutIntoPipe(const std::string& bytes) {
  std::array<int, 2> ends = {};
  if (g_unix_open_pipe(ends.data(), FD_CLOEXEC, nullptr) == FALSE) return -1;
  g_unix_set_fd_nonblocking(ends[1], TRUE, nullptr);
  const bool whole =
      write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  close(ends[1]);
  if (whole && fcntl(ends[0], F_SETFD, 0) == 0) return ends[0];
  close(ends[0]);
  return -1;
}

/// Reads all that a pipe holds whose writer has gone, and closes it. Returns nothing, and never
/// waits, if `fd` is not such a pipe.
std::optional<std::string> TakeFromPipe(int fd) {
  struct stat status = {};
  if (fd < 0 || fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return std::nullopt;
  g_unix_set_fd_nonblocking(fd, TRUE, nullptr);
  std::string bytes(kMostBytes, '\0');
  std::size_t size = 0;
  for (;;) {
    const ssize_t n = read(fd, bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  close(fd);
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::optional<SecretWord> SecretAt(int argc, char** argv, int i) {
  if (argv[i] == nullptr || std::strncmp(argv[i], "--", 2) != 0) return std::nullopt;
  const std::string_view word = argv[i] + 2;
  const std::size_t equals = word.find('=');
  const Option* const option = FindOption(word.substr(0, equals));
  if (option == nullptr) return std::nullopt;
  char* value = equals == std::string_view::npos ? nullptr : argv[i] + 2 + equals + 1;
  if (value == nullptr && i + 1 < argc) value = argv[i + 1];
  if (value == nullptr || !HoldsSecret(*option, value)) return std::nullopt;
  return SecretWord{option, value};
}

std::vector<std::string> SetSecretsAside(int argc, char** argv) {
  std::string bytes;
  std::vector<char*> secrets;
  for (int i = 1; i < argc; ++i) {
    const auto secret = SecretAt(argc, argv, i);
    if (!secret) continue;
    bytes.append(secret->option->name).append(1, '\0').append(secret->value).append(1, '\0');
    secrets.push_back(secret->value);
  }
  const int fd = secrets.empty() ? -1 : PutIntoPipe(bytes);
  WipeBytes(bytes);
  if (fd >= 0) {
    for (char* const secret : secrets) Wipe(secret);
  }
  std::vector<std::string> words(argv, argv + argc);
  if (fd >= 0) words.push_back(Format("--%s=%d", kSecretsFd, fd));
  return words;
}

Result<void> TakeSecrets(const std::string& fd, OptionValues& values) {
  const auto number = ParseNumber(fd);
  auto bytes = TakeFromPipe(number && *number <= 1'000'000 ? static_cast<int>(*number) : -1);
  if (!bytes) {
    return Fail("cannot read the secrets that the extcap passed on", Error::Kind::kUsage);
  }
  const std::vector<std::string_view> pieces = Split(*bytes, '\0');
  for (std::size_t i = 0; i + 1 < pieces.size(); i += 2) {
    const Option* const option = FindOption(pieces[i]);
    if (option == nullptr || !HoldsSecret(*option, pieces[i + 1])) continue;
    RegisterSecrets(*option, pieces[i + 1]);
    values[static_cast<std::size_t>(option->id)] = std::string(pieces[i + 1]);
  }
  WipeBytes(*bytes);
  return {};
}

}  // namespace cloudflaredump::config
