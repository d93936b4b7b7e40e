// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/options.h"

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::config {

bool IsSample(InterfaceKind kind) {
  return kind == InterfaceKind::kSample || kind == InterfaceKind::kLive;
}

const Option& OptionOf(Opt id) {
  return AllOptions()[static_cast<std::size_t>(id)];
}

const Option* FindOption(std::string_view name) {
  const auto row =
      std::ranges::find_if(AllOptions(), [&](const Option& o) { return o.name == name; });
  return row == AllOptions().end() ? nullptr : &*row;
}

Opt PickedFor(Opt pick) {
  if (pick == Opt::kColoPick) return Opt::kColo;
  return pick == Opt::kPcapIdPick ? Opt::kPcapId : Opt::kDestinationConf;
}

bool AppliesTo(const Option& option, InterfaceKind kind) {
  return (option.kinds & static_cast<unsigned>(kind)) != 0;
}

unsigned DialogNumber(Opt id, InterfaceKind kind) {
  const auto before = AllOptions().first(static_cast<std::size_t>(id));
  return static_cast<unsigned>(std::ranges::count_if(
      before, [kind](const Option& option) { return AppliesTo(option, kind); }));
}

const char* FallbackOf(const Option& option, InterfaceKind kind) {
  if (kind == InterfaceKind::kLive && option.fallback_live != nullptr) return option.fallback_live;
  const bool full = !IsSample(kind) && option.fallback_full != nullptr;
  return full ? option.fallback_full : option.fallback;
}

const char* UnsetOf(const Option& option, InterfaceKind kind) {
  const bool live = kind == InterfaceKind::kLive && option.unset_live != nullptr;
  return live ? option.unset_live : option.unset;
}

std::uint64_t MaximumOf(const Option& option, InterfaceKind kind) {
  return !IsSample(kind) && option.maximum_full != 0 ? option.maximum_full : option.maximum;
}

Result<void> CheckValue(const Option& option, InterfaceKind kind, std::string_view value,
                        std::string_view where) {
  const auto refuse = [&](const std::string& need) {
    return Fail(Format("%s is \"%s\" (%s), but it must be %s", option.name,
                       CleanLine(value, 60).c_str(), std::string(where).c_str(), need.c_str()),
                Error::Kind::kUsage);
  };
  if (option.type == OptionType::kNumber) {
    const std::uint64_t maximum = MaximumOf(option, kind);
    const auto number = ParseNumber(value);
    if (!number || *number < option.minimum || *number > maximum) {
      return refuse("a whole number from " + WithThousands(option.minimum) + " to " +
                    WithThousands(maximum));
    }
  }
  if (option.type == OptionType::kChoice) {
    const auto choices = Split(option.choices, ',');
    if (std::ranges::find(choices, value) == choices.end()) {
      return refuse(Listed({choices.begin(), choices.end()}, " or "));
    }
  }
  return {};
}

bool HoldsSecret(const Option& option, std::string_view value) {
  if (option.type == OptionType::kSecret) return !value.empty();
  return option.address && RedactAddress(value) != value;
}

void RegisterSecrets(const Option& option, std::string_view value) {
  if (option.type == OptionType::kSecret) RegisterSecret(value);
  if (option.address) RegisterSecretsIn(value);
}

std::string ShownValue(const Option& option, std::string_view value) {
  if (option.type == OptionType::kSecret) return "[secret]";
  return option.address ? RedactAddress(value) : std::string(value);
}

}  // namespace cloudflaredump::config
