// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include "extcap/bucket/credentials.h"

namespace cloudflaredump {

/// The environment of a test as a table; nothing of the process's shows through. For modules
/// below config/ (fake_environment.h is for those that know it).
class EnvironmentTable {
 public:
  EnvironmentTable(std::initializer_list<std::pair<const std::string, std::string>> values)
      : values_(values) {}

  void Set(const std::string& name, const std::string& value) { values_[name] = value; }

  /// Good as long as this object.
  system::Environment Get() const {
    return [this](const char* name) -> const char* {
      const auto found = values_.find(name);
      return found == values_.end() ? nullptr : found->second.c_str();
    };
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace cloudflaredump
