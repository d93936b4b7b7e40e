// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace cloudflaredump::bucket {

/// Keys, in lower case, and their values. A value that stands in indented lines below its key
/// begins with a line break and has one line for each of them.
using AwsValues = std::map<std::string, std::string, std::less<>>;

/// A section of one of AWS's shared files.
struct AwsSection {
  std::string header;  ///< Between the brackets, trimmed: `default`, `profile "net ops"`.
  AwsValues values;
};

/// Reads AWS's shared files as botocore does, which hands them to Python's configparser: `=` or
/// `:`, keys in any case, comments from `#` or `;` at a line's begin, anything behind a section's
/// bracket, indented lines continue a value. Lines that mean nothing are passed over, and sections
/// that stand there twice are one. Never fails.
std::vector<AwsSection> ParseAwsFile(std::string_view text);

/// The two words of a header such as `profile "net ops"` or `services my\ own`, quoted as in a
/// shell: the second one if the first one is `kind`; empty for any other header.
std::string NameInHeader(const std::string& header, std::string_view kind);

/// `key` of the indented lines in `value`: `endpoint_url` of an `s3` in a services section.
std::string NestedValue(std::string_view value, std::string_view key);

/// Reads a file of AWS's, following links, whoever else may read it. One that is not there is
/// empty. Error: no regular file (a FIFO or device could keep us forever), above 1 MiB, or not to
/// be read; it shows no line of the file.
Result<std::string> ReadAwsText(const std::string& path);

}  // namespace cloudflaredump::bucket
