// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "extcap/filter/box.h"

namespace cloudflaredump::compare {

/// An address with how many of its leading bits count.
struct Prefix {
  filter::IpAddress address{};
  int bits = 0;

  bool Contains(const filter::IpAddress& other) const;
  std::string ToString() const;
};

/// Reads "203.0.113.0/24", "2001:db8::/32" or a single address; bits behind the prefix are cleared.
Result<Prefix> ParsePrefix(std::string_view text);

/// The prefix of `bits` that `address` is in.
Prefix PrefixOf(const filter::IpAddress& address, int bits);

/// What the router makes of an address: packets to `outside` arrive as packets to `inside`.
struct Translation {
  Prefix outside{}, inside{};

  /// `address` with inside's prefix as outside's, or as it is.
  filter::IpAddress ToOutside(const filter::IpAddress& address) const;
};

/// Reads "OUTSIDE=INSIDE", two addresses or two prefixes of one length.
Result<Translation> ParseTranslation(std::string_view text);

/// What a comparison is about.
struct Options {
  std::string cloudflare_file{};
  std::vector<std::string> local_files{};
  std::string filter{};  ///< empty: every packet of Cloudflare's
  std::vector<Translation> translations{};
  std::vector<Prefix> ours{};  ///< packets from there are egress: never missing
};

}  // namespace cloudflaredump::compare
