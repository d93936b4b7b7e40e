// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_profile.h"

#include <glib.h>

#include <memory>

#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};
struct GFree {
  void operator()(char* text) const { g_free(text); }
};
struct StrvFree {
  void operator()(char** texts) const { g_strfreev(texts); }
};

/// `text` in the dialect of GKeyFile: AWS also writes comments with `;` and sections as
/// `[ profile x ]`, and its readers pass over lines that mean nothing.
std::string ToKeyFile(std::string_view text) {
  std::string lines;
  bool in_section = false;
  for (const std::string_view raw : Split(text, '\n')) {
    const std::string_view line = Trim(raw);
    if (line.starts_with('[') && line.ends_with(']')) {
      in_section = true;
      lines.append("[").append(Trim(line.substr(1, line.size() - 2))).append("]\n");
    } else if (in_section && !line.starts_with('#') && !line.starts_with(';') &&
               line.find('=') != std::string_view::npos) {
      lines.append(line).append("\n");
    }
  }
  return lines;
}

void AddSection(GKeyFile* file, const std::string& section, AwsProfile& profile) {
  const std::unique_ptr<char*, StrvFree> keys(
      g_key_file_get_keys(file, section.c_str(), nullptr, nullptr));
  if (keys == nullptr) return;
  for (char** key = keys.get(); *key != nullptr; ++key) {
    // As written: a secret may hold a backslash, which GKeyFile's strings would take for an escape.
    const std::unique_ptr<char, GFree> value(
        g_key_file_get_value(file, section.c_str(), *key, nullptr));
    if (value != nullptr) profile.values[*key] = Trim(value.get());
  }
}

Result<void> AddFile(const std::string& path, const std::string& prefix, AwsProfile& profile) {
  char* raw = nullptr;
  gsize size = 0;
  GError* error = nullptr;
  if (!g_file_get_contents(path.c_str(), &raw, &size, &error)) {
    const bool missing = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
                         g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
    const std::string why = CleanLine(error->message);
    g_error_free(error);
    if (missing) return {};
    return Fail("the AWS profiles cannot be read: " + why);
  }
  const std::string text = ToKeyFile({raw, size});
  g_free(raw);
  const std::unique_ptr<GKeyFile, KeyFileFree> file(g_key_file_new());
  if (!g_key_file_load_from_data(file.get(), text.data(), text.size(), G_KEY_FILE_NONE, nullptr)) {
    return Fail(CleanLine(path) +
                " cannot be read as AWS profiles: it must have [sections] with "
                "lines of key = value");
  }
  AddSection(file.get(), profile.name, profile);
  if (!prefix.empty()) AddSection(file.get(), prefix + profile.name, profile);
  return {};
}

}  // namespace

std::string AwsProfile::Get(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

Result<AwsProfile> ReadAwsProfile(const std::string& credentials_file,
                                  const std::string& config_file, const std::string& name) {
  AwsProfile profile;
  profile.name = name;
  if (const Result<void> read = AddFile(config_file, "profile ", profile); !read) {
    return Failure(read);
  }
  if (const Result<void> read = AddFile(credentials_file, "", profile); !read) {
    return Failure(read);
  }
  return profile;
}

}  // namespace cloudflaredump::bucket
