// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/report_text.h"

#include <glib.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>

#include "common/text.h"
#include "extcap/system/file_sink.h"

namespace cloudflaredump::tool {

std::string MarkdownText(const std::string& text) {
  std::string out;
  for (const char c : CleanLine(text, 2000)) {
    if (std::string_view("\\`*_[]<>#|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string CodeText(const std::string& text) {
  const std::string line = CleanLine(text, 2000);
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : line) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  // Blanks at both ends are not part of the code, and keep its own backticks from the fence.
  const char* const pad = longest > 0 ? " " : "";
  return fence + pad + line + pad + fence;
}

std::string BothTimes(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local = {};
  localtime_r(&seconds, &local);
  if (local.tm_gmtoff == 0) return FormatRfc3339(time);
  char text[80];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &local);
  return std::string(text) + " (" + FormatRfc3339(time) + ")";
}

std::string DigestText(const std::string& path, const std::function<bool()>& stopped) {
  if (path == "-") return "not known: standard input";
  std::error_code none;  // What is not there cannot be opened.
  if (std::filesystem::is_other(path, none)) return "not known: not a regular file";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (!file) return "not known: the file cannot be read again";
  GChecksum* const sum = g_checksum_new(G_CHECKSUM_SHA256);
  std::string buffer(1 << 16, '\0');
  bool leave = false;
  while (!leave && std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
    const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get());
    g_checksum_update(sum, reinterpret_cast<const guchar*>(buffer.data()),
                      static_cast<gssize>(got));
    leave = stopped && stopped();
  }
  std::string digest = g_checksum_get_string(sum);
  g_checksum_free(sum);
  if (leave) return "not known: stopped";
  return std::ferror(file.get()) == 0 ? digest : "not known: the file cannot be read again";
}

Result<void> CheckReport(const std::string& report, const std::string& file) {
  namespace fs = std::filesystem;
  if (report.empty()) return {};
  if (report == "-") {
    return Fail("--report - would mix the report with other output", "give a file with --report",
                Error::Kind::kUsage);
  }
  // Neither has to be there yet; in a folder that is closed to us, a name has no canonical form.
  std::error_code none;
  const fs::path place = fs::weakly_canonical(report, none);
  const bool same = (!place.empty() && place == fs::weakly_canonical(file, none)) ||
                    fs::equivalent(report, file, none);
  if (same && (fs::is_regular_file(report, none) || !fs::exists(report, none))) {
    return Fail(CleanLine(report) + " cannot hold both the packets and the report",
                "give another file with --report", Error::Kind::kUsage);
  }
  return system::FileSink(report, "--report").Check();
}

Result<void> WriteReport(const std::string& path, const std::string& text,
                         const std::string& file) {
  if (auto good = CheckReport(path, file); !good) return good;
  system::FileSink sink(path, "--report");
  if (auto written = sink.Write(text); !written) return written;
  return sink.Close();
}

}  // namespace cloudflaredump::tool
