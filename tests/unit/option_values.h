// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <string>

#include "common/text.h"
#include "extcap/config/options.h"

namespace cloudflaredump {

inline constexpr std::array kKinds = {config::InterfaceKind::kSample, config::InterfaceKind::kFull,
                                      config::InterfaceKind::kColo,
                                      config::InterfaceKind::kDownload};

/// A kind of interface that has `option`; the sample for those that no dialog has.
inline config::InterfaceKind KindOf(const config::Option& option) {
  for (const config::InterfaceKind kind : kKinds) {
    if (config::AppliesTo(option, kind)) return kind;
  }
  return config::InterfaceKind::kSample;
}

/// Value number `number` (from 0) of some that `option` takes. Different numbers give different
/// values, except that a choice has as many as it has choices.
inline std::string SomeValue(const config::Option& option, unsigned number) {
  if (option.type == config::OptionType::kNumber)
    return std::to_string(option.minimum + 1 + number);
  if (option.type == config::OptionType::kChoice) {
    const auto choices = Split(option.choices, ',');
    return std::string(choices[number % choices.size()]);
  }
  return std::string(option.name) + "-value-" + std::to_string(number);
}

}  // namespace cloudflaredump
