// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/unit/unit_test.h"

namespace cloudflaredump {

/// A folder of the test's own, removed with all that is in it.
class TempFolder {
 public:
  TempFolder() {
    path_ = (std::filesystem::temp_directory_path() / "cloudflaredump.XXXXXX").string();
    assert_non_null(mkdtemp(path_.data()));
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Writes a file with exactly these permission bits and returns its path.
  std::string Write(std::string_view name, std::string_view content, mode_t mode = 0600) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    assert_int_equal(chmod(path.c_str(), mode), 0);
    return path;
  }

  /// How many entries the folder has.
  std::size_t Count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

/// The bytes of a file, empty if it is not there.
inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The permission bits of a file that is there.
inline mode_t ModeOf(const std::string& path) {
  struct stat status = {};
  assert_int_equal(stat(path.c_str(), &status), 0);
  return status.st_mode & 0777;
}

}  // namespace cloudflaredump
