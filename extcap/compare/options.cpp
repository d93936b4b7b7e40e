// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/options.h"

#include <arpa/inet.h>

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::compare {

using filter::IpAddress;

namespace {

int BitsOf(int version) {
  return version == 4 ? 32 : 128;
}

void ClearBehind(IpAddress& address, int bits) {
  for (int i = bits; i < 128; ++i) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (i % 8));
    auto& byte = address.bytes[static_cast<std::size_t>(i / 8)];
    byte = static_cast<std::uint8_t>(byte & ~mask);
  }
}

}  // namespace

bool Prefix::Contains(const IpAddress& other) const {
  if (other.version != address.version) return false;
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) {
    return false;
  }
  const int rest = bits % 8;
  return rest == 0 || ((address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest)) == 0;
}

std::string Prefix::ToString() const {
  std::string text = address.ToString();
  if (bits != BitsOf(address.version)) text += "/" + std::to_string(bits);
  return text;
}

Prefix PrefixOf(const IpAddress& address, int bits) {
  Prefix prefix{address, std::min(bits, BitsOf(address.version))};
  ClearBehind(prefix.address, prefix.bits);
  return prefix;
}

Result<Prefix> ParsePrefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  IpAddress read;
  read.version = address.find(':') == std::string::npos ? 4 : 6;
  const bool good =
      inet_pton(read.version == 4 ? AF_INET : AF_INET6, address.c_str(), read.bytes.data()) == 1;
  int bits = BitsOf(read.version);
  bool fits = true;
  if (slash != std::string_view::npos) {
    const auto number = ParseNumber(text.substr(slash + 1));
    fits = number && *number <= static_cast<std::uint64_t>(bits);
    if (fits) bits = static_cast<int>(*number);
  }
  if (!good || !fits) {
    return Fail(Format("\"%s\" is not an address or a prefix", CleanLine(text, 60).c_str()),
                "write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32", Error::Kind::kUsage);
  }
  return PrefixOf(read, bits);
}

IpAddress Translation::ToOutside(const IpAddress& address) const {
  if (!inside.Contains(address)) return address;
  IpAddress translated = address;
  for (int i = 0; i < outside.bits; ++i) {
    const auto at = static_cast<std::size_t>(i / 8);
    const auto mask = static_cast<std::uint8_t>(0x80U >> (i % 8));
    translated.bytes[at] = static_cast<std::uint8_t>((translated.bytes[at] & ~mask) |
                                                     (outside.address.bytes[at] & mask));
  }
  return translated;
}

Result<Translation> ParseTranslation(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return Fail(Format("\"%s\" is not a translation", CleanLine(text, 60).c_str()),
                "write it as OUTSIDE=INSIDE, such as 203.0.113.7=10.0.0.7", Error::Kind::kUsage);
  }
  const auto outside = ParsePrefix(text.substr(0, equals));
  if (!outside) return Failure(outside);
  const auto inside = ParsePrefix(text.substr(equals + 1));
  if (!inside) return Failure(inside);
  if (outside->bits != inside->bits || outside->address.version != inside->address.version) {
    return Fail(Format("\"%s\" translates between prefixes of different lengths",
                       CleanLine(text, 60).c_str()),
                "give two addresses, or two prefixes of one length", Error::Kind::kUsage);
  }
  return Translation{*outside, *inside};
}

}  // namespace cloudflaredump::compare
