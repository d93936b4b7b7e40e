// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;

struct StrvFree {
  void operator()(char** texts) const { g_strfreev(texts); }
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), g_ascii_tolower);
  return lower;
}

/// Takes the lines of a file one by one.
class AwsFileParser {
 public:
  void TakeLine(std::string_view raw) {
    const std::string_view line = Trim(raw);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) return;
    const auto indent = static_cast<std::size_t>(line.data() - raw.data());
    if (value_ != nullptr && indent > indent_) {
      value_->append("\n").append(line);
      return;
    }
    indent_ = indent;
    value_ = nullptr;
    const std::size_t end = line.rfind(']');
    if (line.starts_with('[') && end != std::string_view::npos && end > 1) {
      OpenSection(Trim(line.substr(1, end - 1)));
    } else if (const std::size_t at = line.find_first_of("=:");
               section_ != kNone && at != std::string_view::npos && at > 0) {
      value_ = &sections_[section_].values[Lower(Trim(line.substr(0, at)))];
      *value_ = Trim(line.substr(at + 1));
    }
  }

  std::vector<AwsSection> Take() { return std::move(sections_); }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void OpenSection(std::string_view header) {
    const auto known = std::ranges::find(sections_, header, &AwsSection::header);
    section_ = static_cast<std::size_t>(known - sections_.begin());
    if (known == sections_.end())
      sections_.push_back({.header = std::string(header), .values = {}});
  }

  std::vector<AwsSection> sections_;
  std::size_t section_ = kNone;
  std::string* value_ = nullptr;  ///< That indented lines continue; null after a header.
  std::size_t indent_ = 0;        ///< Of the line where it began.
};

/// A descriptor of a regular file, or -1 and errno.
int OpenRegular(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status = {};
  if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))) return fd;
  close(fd);
  errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  return -1;
}

}  // namespace

std::vector<AwsSection> ParseAwsFile(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  AwsFileParser parser;
  for (const std::string_view line : Split(text, '\n')) parser.TakeLine(line);
  return parser.Take();
}

std::string NameInHeader(const std::string& header, std::string_view kind) {
  if (!header.starts_with(kind)) return {};
  char** raw = nullptr;
  int count = 0;
  if (!g_shell_parse_argv(header.c_str(), &count, &raw, nullptr)) return {};
  const std::unique_ptr<char*, StrvFree> words(raw);
  return count == 2 && raw[0] == kind ? raw[1] : "";
}

std::string NestedValue(std::string_view value, std::string_view key) {
  std::string found;
  for (const std::string_view line : Split(value, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && Trim(line.substr(0, equals)) == key) {
      found = Trim(line.substr(equals + 1));
    }
  }
  return found;
}

Result<std::string> ReadAwsText(const std::string& path) {
  const int fd = OpenRegular(path);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return "";
    const std::string why = errno == EINVAL ? "it is not a regular file" : g_strerror(errno);
    return Fail("AWS's file " + CleanLine(path) + " cannot be read: " + why);
  }
  std::string text;
  char chunk[16384];
  ssize_t n = 0;
  while (text.size() <= kLargestFile && (n = read(fd, chunk, sizeof chunk)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  const int reason = errno;
  close(fd);
  if (n < 0)
    return Fail("AWS's file " + CleanLine(path) + " cannot be read: " + g_strerror(reason));
  if (text.size() > kLargestFile) {
    return Fail("AWS's file " + CleanLine(path) + " is larger than 1 MiB");
  }
  return text;
}

}  // namespace cloudflaredump::bucket
