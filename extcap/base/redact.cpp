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

/// One parameter of an address, with the `?` or `&` before it; or what is before the first one.
struct AddressPiece {
  std::string_view name;   ///< all of it, if it has no value
  std::string_view value;  ///< behind the `=`
  bool has_value = false;

  bool IsSecret() const {
    constexpr std::string_view kWords[] = {"key", "secret", "token"};
    const bool parameter = has_value && name.find("://") == std::string_view::npos;
    return parameter && std::ranges::any_of(kWords, [this](std::string_view word) {
             return name.find(word) != std::string_view::npos;
           });
  }
};

std::vector<AddressPiece> PiecesOf(std::string_view address) {
  std::vector<AddressPiece> pieces;
  while (!address.empty()) {
    const std::string_view piece = address.substr(0, address.find_first_of("?&", 1));
    address.remove_prefix(piece.size());
    const std::size_t equals = piece.find('=');
    const bool has_value = equals != std::string_view::npos;
    pieces.push_back({.name = piece.substr(0, equals),
                      .value = has_value ? piece.substr(equals + 1) : std::string_view(),
                      .has_value = has_value});
  }
  return pieces;
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

void RegisterSecretsIn(std::string_view address) {
  for (const AddressPiece& piece : PiecesOf(address)) {
    if (!piece.IsSecret()) continue;
    RegisterSecret(piece.value);
    if (const auto decoded = PercentDecode(piece.value)) RegisterSecret(*decoded);
  }
}

std::string RedactAddress(std::string_view address) {
  std::string shown;
  for (const AddressPiece& piece : PiecesOf(address)) {
    shown.append(piece.name);
    if (piece.has_value) shown.append("=").append(piece.IsSecret() ? "[secret]" : piece.value);
  }
  return shown;
}

std::string DropKeys(std::string_view address) {
  std::string rest;
  for (const AddressPiece& piece : PiecesOf(address)) {
    if (piece.IsSecret()) continue;
    const std::size_t at = rest.size();
    rest.append(piece.name);
    if (piece.has_value) rest.append("=").append(piece.value);
    // What was behind a key may now be the first parameter.
    if (at > 0 && rest[at] == '&' && rest.find('?') == std::string::npos) rest[at] = '?';
  }
  return rest;
}

void Wipe(char* text) {
  explicit_bzero(text, std::strlen(text));
}

}  // namespace cloudflaredump
