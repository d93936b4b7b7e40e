// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"

#include <glib.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "common/text.h"

namespace cloudflaredump {
namespace {

constexpr std::size_t kShortestSecret = 6;

constexpr std::string_view kMark = "[secret]";

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

/// A byte that is percent-encoded, and how much of the text that is.
struct Escape {
  char byte = 0;
  std::size_t length = 0;
};

/// What `text` may begin with: "%2F" is a slash; "%252F" is one that was encoded twice, or a
/// percent sign that was encoded once.
std::vector<Escape> EscapesAt(std::string_view text) {
  std::vector<Escape> escapes;
  if (!text.starts_with('%')) return escapes;
  for (std::size_t at = 1; at + 1 < text.size(); at += 2) {
    if (!g_ascii_isxdigit(text[at]) || !g_ascii_isxdigit(text[at + 1])) break;
    const int value = g_ascii_xdigit_value(text[at]) * 16 + g_ascii_xdigit_value(text[at + 1]);
    escapes.push_back({.byte = static_cast<char>(value), .length = at + 2});
    if (value != '%') break;
  }
  return escapes;
}

/// How much of the start of `text` is `secret`, each of its bytes plain or percent-encoded; 0 if it
/// is something else. The longest, where there are several ways to read it.
std::size_t MatchSecret(std::string_view text, std::string_view secret) {
  // Almost always; and a server may repeat a secret 200,000 times.
  if (!secret.contains('%') && text.starts_with(secret)) return secret.size();
  std::vector<std::size_t> places = {0};
  std::vector<std::size_t> next;
  for (const char wanted : secret) {
    next.clear();
    for (const std::size_t at : places) {
      if (at < text.size() && text[at] == wanted) next.push_back(at + 1);
      for (const Escape& escape : EscapesAt(text.substr(at))) {
        if (escape.byte == wanted) next.push_back(at + escape.length);
      }
    }
    if (next.empty()) return 0;
    if (next.size() > 1) {
      std::ranges::sort(next);
      next.erase(std::ranges::unique(next).begin(), next.end());
    }
    std::swap(places, next);
  }
  return places.back();
}

/// Names that say of a value in any text that it is secret, whoever it belongs to: parameters, and
/// a header.
constexpr std::string_view kSecretNames[] = {
    "secret-access-key", "secret_access_key", "x-amz-signature", "x-amz-security-token",
    "x-amz-credential",  "x-goog-signature",  "authorization"};
constexpr std::string_view kSecretHeader = "authorization";

/// How much of `text` from `at` on is a value. That of a header ends with its line, that of a
/// parameter also at a blank or the next parameter, which are encoded if what is before it was.
std::size_t ValueLength(std::string_view text, bool header, bool encoded) {
  const std::string_view ends = header ? "\r\n\"<>" : "&;, \t\r\n\"'<>";
  std::size_t at = 0;
  for (; at < text.size() && !ends.contains(text[at]); ++at) {
    if (!encoded) continue;
    const auto escapes = EscapesAt(text.substr(at));
    if (!escapes.empty() && ends.contains(escapes.back().byte)) break;
  }
  return at;
}

/// Copies a text, but for some pieces of it.
class Redaction {
 public:
  explicit Redaction(std::string_view text) : text_(text) {}

  /// Puts kMark in the place of `length` bytes at `at`, which is behind what was hidden before.
  void Hide(std::size_t at, std::size_t length) {
    shown_.append(text_.substr(copied_, at - copied_)).append(kMark);
    copied_ = at + length;
  }
  std::string Finish() && { return std::move(shown_.append(text_.substr(copied_))); }

 private:
  const std::string_view text_;
  std::string shown_;
  std::size_t copied_ = 0;  ///< of text_
};

/// `text` with each `secret` as kMark.
std::string RedactSecret(std::string_view text, std::string_view secret) {
  const char starts[] = {secret.front(), '%'};
  Redaction redaction(text);
  for (std::size_t at = 0; (at = text.find_first_of({starts, 2}, at)) != text.npos;) {
    const std::size_t length = MatchSecret(text.substr(at), secret);
    if (length > 0) redaction.Hide(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return std::move(redaction).Finish();
}

/// `text` with the values behind kSecretNames as kMark.
std::string RedactNamed(std::string_view text) {
  Redaction redaction(text);
  for (std::size_t at = 0; (at = text.find_first_of("=:%", at)) != text.npos;) {
    const std::string_view before = text.substr(0, at);
    const auto escapes = EscapesAt(text.substr(at));
    const bool encoded = !escapes.empty();
    const char separator = encoded ? escapes.back().byte : text[at];
    at += encoded ? escapes.back().length : 1;
    const bool header = separator == ':';
    const auto ends_it = [&](std::string_view name) {
      return before.size() >= name.size() && (!header || name == kSecretHeader) &&
             g_ascii_strncasecmp(before.end() - name.size(), name.data(), name.size()) == 0;
    };
    if (!header && separator != '=') continue;
    if (std::ranges::none_of(kSecretNames, ends_it)) continue;
    if (header) at = std::min(text.find_first_not_of(' ', at), text.size());
    const std::size_t length = ValueLength(text.substr(at), header, encoded);
    if (length > 0) redaction.Hide(at, length);
    at += length;
  }
  return std::move(redaction).Finish();
}

/// One parameter of an address, with the `?`, `&` or `;` before it; or what is before the first
/// one.
struct AddressPiece {
  std::string_view name;   ///< all of it, if it has no value
  std::string_view value;  ///< behind the `=`
  bool has_value = false;

  bool IsSecret() const {
    constexpr std::string_view kWords[] = {"key", "secret", "token", "password", "signature"};
    const bool parameter = has_value && name.find("://") == std::string_view::npos;
    const auto said = [this](std::string_view word) {
      return !std::ranges::search(name, word, {}, g_ascii_tolower).empty();
    };
    return parameter && std::ranges::any_of(kWords, said);
  }
};

std::vector<AddressPiece> PiecesOf(std::string_view address) {
  std::vector<AddressPiece> pieces;
  while (!address.empty()) {
    const std::string_view piece = address.substr(0, address.find_first_of("?&;", 1));
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
}

std::string Redact(std::string_view text) {
  std::string redacted(text);
  for (const std::string& secret : Secrets()) redacted = RedactSecret(redacted, secret);
  return RedactNamed(redacted);
}

std::string_view UserInfoOf(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = address.substr(scheme + 3, address.find('?') - (scheme + 3));
  const std::string_view authority = rest.substr(0, rest.find('/'));
  std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  const bool port =
      colon == std::string_view::npos ||
      authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos ||
      authority.starts_with('[');
  if (at == std::string_view::npos && !port) at = rest.find('@');
  return at == std::string_view::npos ? std::string_view() : rest.substr(0, at);
}

void RegisterSecretsIn(std::string_view address) {
  const auto add = [](std::string_view secret) {
    RegisterSecret(secret);
    if (const auto decoded = PercentDecode(secret)) RegisterSecret(*decoded);
  };
  const std::string_view user = UserInfoOf(address);
  add(user.substr(user.find(':') + 1));
  for (const AddressPiece& piece : PiecesOf(address)) {
    if (piece.IsSecret()) add(piece.value);
  }
}

std::string RedactAddress(std::string_view address) {
  std::string without_user(address);
  if (const std::string_view user = UserInfoOf(address); !user.empty()) {
    without_user.replace(static_cast<std::size_t>(user.data() - address.data()), user.size(),
                         "[secret]");
  }
  std::string shown;
  for (const AddressPiece& piece : PiecesOf(without_user)) {
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
  WipeBytes(std::span(text, std::strlen(text)));
}

void WipeBytes(std::span<char> bytes) {
  std::ranges::fill(bytes, '\0');
  // The compiler must believe that someone reads the zeros, or it leaves them out.
  asm volatile("" : : "r"(bytes.data()) : "memory");
}

}  // namespace cloudflaredump
