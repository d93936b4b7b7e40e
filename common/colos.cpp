// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/colos.h"

#include <algorithm>
#include <array>

namespace cloudflaredump {
namespace {

// The rows of colos.psv, which CMake turns into C++. Codes and places are taken from
// cloudflare-colo-list (DC-Colos.json of 2026-08-20,
// https://github.com/troymjones/cloudflare-colo-list), Copyright (c) 2022 Netrvin, Copyright (c)
// 2024-2026 Troy Jones, under the MIT License: permission is granted, free of charge, to any person
// obtaining a copy to deal in it without restriction, provided that this copyright notice and this
// permission notice are included in all copies or substantial portions. It comes "as is", without
// warranty of any kind. Federal states are left off the cities.
constexpr auto kColos = std::to_array<Colo>({
#include "common/colos.inc"
});

static_assert(std::ranges::is_sorted(kColos, {}, &Colo::code));

constexpr bool IsLetter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char Upper(char c) {
  return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

bool IsColoShape(std::string_view name) {
  return name.size() >= 3 && name.size() <= 6 && std::ranges::all_of(name.substr(0, 3), IsLetter) &&
         std::ranges::all_of(name.substr(3), IsDigit);
}

const Colo* FindColo(std::string_view name) {
  if (!IsColoShape(name)) return nullptr;
  const std::array<char, 3> code = {Upper(name[0]), Upper(name[1]), Upper(name[2])};
  const std::string_view wanted(code.data(), code.size());
  const auto found = std::ranges::lower_bound(kColos, wanted, {}, &Colo::code);
  return found != kColos.end() && found->code == wanted ? &*found : nullptr;
}

std::span<const Colo> AllColos() {
  return kColos;
}

}  // namespace cloudflaredump
