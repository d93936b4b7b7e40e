// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <string>

#include "extcap/base/text.h"
#include "extcap/config/options.h"

namespace cloudflaredump {

inline constexpr std::array kKinds = {InterfaceKind::kSample, InterfaceKind::kFull,
                                      InterfaceKind::kColo, InterfaceKind::kDownload};

/// A kind of interface that has `option`; the sample for those that no dialog has.
inline InterfaceKind KindOf(const Option& option) {
  for (const InterfaceKind kind : kKinds) {
    if (AppliesTo(option, kind)) return kind;
  }
  return InterfaceKind::kSample;
}

/// Value number `number` (from 0) of some that `option` takes. Different numbers give different
/// values, except that a choice has as many as it has choices.
inline std::string SomeValue(const Option& option, unsigned number) {
  if (option.type == OptionType::kNumber) return std::to_string(option.minimum + 1 + number);
  if (option.type == OptionType::kChoice) {
    const auto choices = Split(option.choices, ',');
    return std::string(choices[number % choices.size()]);
  }
  return std::string(option.name) + "-value-" + std::to_string(number);
}

}  // namespace cloudflaredump
