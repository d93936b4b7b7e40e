// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/places.h"

#include <glib.h>

#include <algorithm>

namespace cloudflare_emulator {
namespace {

constexpr std::size_t kCodeLength = 3;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return g_ascii_tolower(c); });
  return text;
}

const PacketRule* FirstThatHolds(const std::vector<PacketRule>& rules, const Record& record) {
  const auto rule =
      std::ranges::find_if(rules, [&](const PacketRule& one) { return one.test.Holds(record); });
  return rule == rules.end() ? nullptr : &*rule;
}

}  // namespace

Outcome<PacketRule> ParsePacketRule(const std::string& text) {
  const std::size_t equal = text.find('=');
  if (equal == std::string::npos || equal < kCodeLength) {
    return std::unexpected("\"" + text + "\" is not of the form 'NAME=FILTER'.");
  }
  auto test = PacketTest::Compile(text.substr(equal + 1));
  if (!test) return std::unexpected(test.error());
  return PacketRule{text.substr(0, equal), *std::move(test)};
}

const std::string& Places::SiteOf(const Record& record) const {
  const PacketRule* const rule = FirstThatHolds(entries_, record);
  return rule == nullptr ? elsewhere_ : rule->name;
}

bool Places::EntersAt(const Record& record, const std::string& colo) const {
  const std::string& site = SiteOf(record);
  return Lower(colo) == (colo.size() == kCodeLength ? site.substr(0, kCodeLength) : site);
}

std::string Places::DroppedBy(const Record& record) const {
  const PacketRule* const rule = FirstThatHolds(drops_, record);
  return rule == nullptr ? "" : rule->name;
}

std::string ColoOfSite(const std::string& site) {
  std::string code = site.substr(0, kCodeLength);
  std::ranges::transform(code, code.begin(), [](char c) { return g_ascii_toupper(c); });
  return code;
}

}  // namespace cloudflare_emulator
