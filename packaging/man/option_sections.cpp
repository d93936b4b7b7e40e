// SPDX-License-Identifier: GPL-2.0-or-later
#include "packaging/man/option_sections.h"

#include <algorithm>
#include <vector>

#include "common/text.h"
#include "extcap/config/options.h"

namespace cloudflaredump {
namespace {

struct KindName {
  config::InterfaceKind kind;
  const char* name;
};

constexpr KindName kKinds[] = {
    {config::InterfaceKind::kSample, "cloudflare-sample"},
    {config::InterfaceKind::kLive, "cloudflare-live"},
    {config::InterfaceKind::kFull, "cloudflare-full"},
    {config::InterfaceKind::kColo, "cloudflare-COLO"},
    {config::InterfaceKind::kDownload, "cloudflare-download"},
};

std::string Bold(std::string_view text) {
  return "\\fB" + Roff(text) + "\\fR";
}

std::vector<std::string> BoldWords(const char* comma_separated) {
  std::vector<std::string> words;
  for (const std::string_view word : Split(comma_separated, ',')) words.push_back(Bold(word));
  return words;
}

std::string Takers(const config::Option& option) {
  std::vector<std::string> names;
  for (const auto& [kind, name] : kKinds) {
    if (config::AppliesTo(option, kind)) names.push_back(Roff(name));
  }
  return names.empty() || names.size() == std::size(kKinds)
             ? ""
             : "Interfaces: " + Listed(names) + ".\n";
}

std::string Range(const config::Option& option) {
  if (option.type == config::OptionType::kChoice) {
    return "One of " + Listed(BoldWords(option.choices), " or ") + ".\n";
  }
  if (option.type != config::OptionType::kNumber) return "";
  const bool differs = option.maximum_full != 0;
  return "From " + WithThousands(option.minimum) + " to " + WithThousands(option.maximum) +
         (differs ? " (full captures: " + WithThousands(option.maximum_full) + ")" : "") + ".\n";
}

std::string Default(const config::Option& option) {
  if (option.fallback == nullptr) return "";
  const bool differs = option.fallback_full != nullptr;
  const std::string live =
      option.fallback_live == nullptr ? "" : " (live samples: " + Bold(option.fallback_live) + ")";
  return "Default: " + Bold(option.fallback) + live +
         (differs ? " (full captures: " + Bold(option.fallback_full) + ")" : "") + ".\n";
}

std::string Variables(const config::Option& option) {
  if (option.environment == nullptr) return "";
  const auto names = BoldWords(option.environment);
  return (names.size() == 1 ? "Variable: " : "Variables: ") + Listed(names) + ".\n";
}

std::string Entry(const config::Option& option, std::string_view dashes) {
  return ".TP\n" + Bold(std::string(dashes) + option.name) + (dashes.empty() ? "=" : " ") + "\\fI" +
         Roff(option.value_name) + "\\fR\n" + Roff(option.help) + "\n" + Range(option) +
         Default(option) + Takers(option) + Variables(option);
}

}  // namespace

std::string Roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts_line = i == 0 || text[i - 1] == '\n';
    if (starts_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (text.substr(i).starts_with("…")) {
      out += "...";  // Not every terminal can show the character.
      i += std::string_view("…").size() - 1;
    } else {
      out += c;
    }
  }
  return out;
}

std::string OptionSections() {
  std::string text;
  std::vector<std::string_view> tabs;
  for (const config::Option& option : config::AllOptions()) {
    if (option.tab == nullptr) continue;
    if (std::ranges::find(tabs, option.tab) == tabs.end()) tabs.emplace_back(option.tab);
  }
  for (const std::string_view tab : tabs) {
    text += ".SS " + Roff(tab) + "\n";
    for (const config::Option& option : config::AllOptions()) {
      const bool listed = option.tab != nullptr && option.type != config::OptionType::kPick;
      if (listed && option.tab == tab) text += Entry(option, "--");
    }
  }
  return text;
}

std::string FileSettings() {
  std::string text;
  for (const config::Option& option : config::AllOptions()) {
    if (option.tab == nullptr) text += Entry(option, "");
  }
  return text;
}

std::string OptionVariables() {
  std::string text;
  for (const config::Option& option : config::AllOptions()) {
    if (option.environment == nullptr) continue;
    text += ".TP\n" + Listed(BoldWords(option.environment)) + "\nSet " +
            Bold((option.tab == nullptr ? "" : "--") + std::string(option.name)) + ".\n";
  }
  return text;
}

}  // namespace cloudflaredump
