// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/typed_filter.h"

#include <string_view>

#include "extcap/system/private_file.h"

namespace cloudflaredump::config {
namespace {

constexpr Duration kFresh = std::chrono::minutes(30);
/// The longest filter that is worth keeping.
constexpr std::size_t kLongest = 65536;

/// Empty if there is no folder for a session's files.
std::string PathOf(const std::string& interface_name, const system::Environment& environment) {
  const char* const folder = environment("XDG_RUNTIME_DIR");
  if (folder == nullptr || *folder != '/') return "";
  return std::string(folder) + "/cloudflaredump/filter-" + interface_name;
}

}  // namespace

void RememberTypedFilter(const std::string& interface_name, const std::string& filter,
                         const system::Environment& environment) {
  const std::string path = PathOf(interface_name, environment);
  if (path.empty() || filter.size() > kLongest) return;
  const WallTime now = std::chrono::system_clock::now();
  (void)system::ReplacePrivateFile(path, FormatRfc3339(now) + "\n" + filter);
}

std::optional<std::string> TypedFilter(const std::string& interface_name, WallTime now,
                                       const system::Environment& environment) {
  const std::string path = PathOf(interface_name, environment);
  if (path.empty()) return std::nullopt;
  const auto read = system::ReadRegularFile("filter typed last", path);
  if (!read || !*read) return std::nullopt;
  const std::string& content = (*read)->bytes;
  const std::size_t line = content.find('\n');
  if (line == std::string::npos) return std::nullopt;
  const auto at = ParseRfc3339(std::string_view(content).substr(0, line));
  if (!at || *at > now || now - *at > kFresh) return std::nullopt;
  return content.substr(line + 1);
}

}  // namespace cloudflaredump::config
