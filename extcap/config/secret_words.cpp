// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/secret_words.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::config {
namespace {

/// More than all secrets of a command line of Wireshark's.
constexpr std::size_t kMostBytes = std::size_t{1} << 17;

/// Creates an anonymous file with `bytes`, inherited across exec; -1 on failure.
int MakeFile(const std::string& bytes) {
  const int fd = memfd_create("cloudflaredump", 0);
  if (fd < 0) return -1;
  if (write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) return fd;
  close(fd);
  return -1;
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
  const int fd = secrets.empty() ? -1 : MakeFile(bytes);
  if (fd >= 0) {
    for (char* const secret : secrets) Wipe(secret);
  }
  std::vector<std::string> words(argv, argv + argc);
  if (fd >= 0) words.push_back(Format("--%s=%d", kSecretsFd, fd));
  return words;
}

Result<void> TakeSecrets(const std::string& fd, OptionValues& values) {
  const auto number = ParseNumber(fd);
  const int file = number && *number <= 1'000'000 ? static_cast<int>(*number) : -1;
  std::string bytes(kMostBytes, '\0');
  const ssize_t n = pread(file, bytes.data(), bytes.size(), 0);
  if (n < 0) return Fail("cannot read the secrets that the extcap passed on", Error::Kind::kUsage);
  close(file);
  bytes.resize(static_cast<std::size_t>(n));
  const std::vector<std::string_view> pieces = Split(bytes, '\0');
  for (std::size_t i = 0; i + 1 < pieces.size(); i += 2) {
    const Option* const option = FindOption(pieces[i]);
    if (option == nullptr || !HoldsSecret(*option, pieces[i + 1])) continue;
    RegisterSecrets(*option, pieces[i + 1]);
    values[static_cast<std::size_t>(option->id)] = std::string(pieces[i + 1]);
  }
  explicit_bzero(bytes.data(), bytes.size());
  return {};
}

}  // namespace cloudflaredump::config
