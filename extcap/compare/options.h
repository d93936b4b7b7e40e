// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
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

/// A file to compare.
struct InputFile {
  InputFile() = default;
  /// `path` "-" is standard input.
  InputFile(const std::string& at) : path(at), name(at == "-" ? "standard input" : at) {}
  InputFile(std::string at, std::string called) : path(std::move(at)), name(std::move(called)) {}

  std::string path{};
  std::string name{};  ///< for people: what was captured for the comparison has no path of theirs
};

/// What a comparison is about.
struct Options {
  InputFile cloudflare_file{};
  std::vector<InputFile> local_files{};
  std::string filter{};  ///< empty: every packet of Cloudflare's
  std::vector<Translation> translations{};
  std::vector<Prefix> ours{};  ///< packets from there are egress: never missing
};

}  // namespace cloudflaredump::compare
