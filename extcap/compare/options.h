// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "extcap/filter/prefixes.h"

namespace cloudflaredump::compare {

using filter::Prefix;

/// Reads "203.0.113.0/24", "2001:db8::/32" or a single address; bits behind the prefix are cleared.
Result<Prefix> ParsePrefix(std::string_view text);

/// "203.0.113.0/24", and a single address without its length.
std::string PrefixText(const Prefix& prefix);

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
