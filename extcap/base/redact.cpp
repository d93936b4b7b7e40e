// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/base/redact.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

constexpr std::size_t kShortestSecret = 6;

/// Longest first, so that a secret that contains another is replaced whole.
std::vector<std::string>& Secrets() {
  static std::vector<std::string> secrets;
  return secrets;
}

void Add(std::string text) {
  auto& secrets = Secrets();
  if (std::find(secrets.begin(), secrets.end(), text) != secrets.end()) return;
  const auto place = std::find_if(secrets.begin(), secrets.end(), [&](const std::string& other) {
    return other.size() < text.size();
  });
  secrets.insert(place, std::move(text));
}

}  // namespace

void RegisterSecret(std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  Add(std::string(secret));
  Add(PercentEncode(secret));
  Add(PercentEncode(secret, "/"));
}

std::string Redact(std::string_view text) {
  std::string redacted(text);
  for (const std::string& secret : Secrets()) {
    for (std::size_t at = 0; (at = redacted.find(secret, at)) != std::string::npos;) {
      constexpr std::string_view kMark = "[secret]";
      redacted.replace(at, secret.size(), kMark);
      at += kMark.size();
    }
  }
  return redacted;
}

void Wipe(char* text) {
  explicit_bzero(text, std::strlen(text));
}

}  // namespace cloudflaredump
