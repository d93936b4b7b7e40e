// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/printed_fields.h"

#include <algorithm>
#include <fstream>
#include <string_view>

namespace cloudflaredump::dissector {
namespace {

/// What may be the name of a field of ours in a word that follows -e, or holds it (`-ne…`).
std::string NameIn(std::string_view word) {
  const std::size_t start = word.find("cloudflare");
  if (start == std::string_view::npos || (start > 0 && !word.starts_with('-'))) return {};
  word.remove_prefix(start);
  return std::string(
      word.substr(0, word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-")));
}

/// Whether `word` may hold the option -T, alone or among others (`-nT`).
bool MayHoldFormat(std::string_view word) {
  return word.starts_with('-') && !word.starts_with("--") &&
         word.find('T') != std::string_view::npos;
}

}  // namespace

bool PrintsOtherFieldsOnly(std::span<const std::string> words,
                           const std::function<bool(const std::string& name)>& is_field) {
  if (words.empty()) return false;
  const std::string_view program = words.front();
  if (program.substr(program.rfind('/') + 1) != "tshark") return false;
  const auto names_ours = [&](const std::string& word) { return is_field(NameIn(word)); };
  if (std::ranges::any_of(words.subspan(1), names_ours)) return false;
  bool fields = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!MayHoldFormat(words[i])) continue;
    const bool apart = words[i] == "-T" && i + 1 < words.size() && words[i + 1] == "fields";
    if (!apart && words[i] != "-Tfields") return false;
    fields = true;
  }
  return fields;
}

std::vector<std::string> CommandLine() {
  std::vector<std::string> words;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace cloudflaredump::dissector
