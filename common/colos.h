// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace cloudflaredump {

/// A data center of Cloudflare's: the airport code it is called by, and where that is. The texts
/// are UTF-8 and last as long as the program.
struct Colo {
  std::string_view code;  ///< Three upper-case letters.
  std::string_view city;
  std::string_view country;
};

/// Whether `name` is three ASCII letters and at most three digits, as data centers (ORD) and their
/// sites (ord02) are called.
bool IsColoShape(std::string_view name);

/// The data center of a name as the API takes it, in any case: all sites of a city (`ORD`) or one
/// of them (`ord02`), looked up by the first three letters. Null for a text that has neither form
/// and for a code the table lacks, which may exist nevertheless: new ones open every month.
const Colo* FindColo(std::string_view name);

/// All of them, in the order of their codes.
std::span<const Colo> AllColos();

}  // namespace cloudflaredump
