// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <utility>

#include "extcap/config/settings.h"
#include "tests/unit/results.h"

namespace cloudflaredump {

/// An environment of the test's own. Its HOME does not exist, so that nobody's configuration file
/// is read unless the test names one.
class FakeEnvironment {
 public:
  FakeEnvironment& Set(const std::string& name, const std::string& value) {
    values_[name] = value;
    return *this;
  }

  /// Good as long as this object.
  system::Environment Reader() const {
    return [this](const char* name) {
      const auto found = values_.find(name);
      return found == values_.end() ? nullptr : found->second.c_str();
    };
  }

 private:
  std::map<std::string, std::string> values_ = {{"HOME", "/nonexistent"}};
};

/// What the dialog or the command line gave.
inline config::OptionValues Given(
    std::initializer_list<std::pair<config::Opt, std::string>> pairs) {
  config::OptionValues values;
  for (const auto& [id, value] : pairs) values[static_cast<std::size_t>(id)] = value;
  return values;
}

/// Settings that must load.
inline config::Settings LoadSettings(const config::OptionValues& given,
                                     config::InterfaceKind kind = config::InterfaceKind::kSample,
                                     const FakeEnvironment& environment = {}) {
  return ValueOf(config::Settings::Load(given, kind, environment.Reader()));
}

}  // namespace cloudflaredump
