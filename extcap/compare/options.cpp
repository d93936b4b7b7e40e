// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/options.h"

#include "common/text.h"

namespace cloudflaredump::compare {

using filter::IpAddress;

std::string PrefixText(const Prefix& prefix) {
  const bool whole = prefix.bits == filter::BitsOf(prefix.address);
  return whole ? prefix.address.ToString() : prefix.ToString();
}

Result<Prefix> ParsePrefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = filter::ParseIpAddress(std::string(text.substr(0, slash)));
  int bits = address ? filter::BitsOf(*address) : 0;
  bool fits = true;
  if (slash != std::string_view::npos) {
    const auto number = ParseNumber(text.substr(slash + 1));
    fits = number && *number <= static_cast<std::uint64_t>(bits);
    if (fits) bits = static_cast<int>(*number);
  }
  if (!address || !fits) {
    return Fail(Format("\"%s\" is not an address or a prefix", CleanLine(text, 60).c_str()),
                "write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32", Error::Kind::kUsage);
  }
  return filter::PrefixOf(*address, bits);
}

IpAddress Translation::ToOutside(const IpAddress& address) const {
  if (!filter::Contains(inside, address)) return address;
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
