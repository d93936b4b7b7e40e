// SPDX-License-Identifier: GPL-2.0-or-later
//
// A command line and a configuration file: words with NULs between, the last of them the file's
// text. Values of secret options are made one that must never be seen again.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/config/arguments.h"
#include "extcap/config/settings.h"

using namespace cloudflaredump;

namespace {

constexpr const char* kSecret = "planted-secret-0123456789";

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsSecretName(std::string_view name) {
  const config::Option* const option = config::FindOption(std::string(name).c_str());
  return option != nullptr && option->type == config::OptionType::kSecret;
}

/// Of words that ask for help, which ends the process.
bool AsksForHelp(std::string_view word) {
  if (word.starts_with("--")) return word.starts_with("--help");
  return word.starts_with("-") && word.find_first_of("h?") != std::string_view::npos;
}

std::vector<std::string> PlantInWords(const std::vector<std::string_view>& parts) {
  std::vector<std::string> words = {"cloudflaredump"};
  bool value = false;
  for (const std::string_view part : parts) {
    std::string word(part);
    const std::size_t equals = word.find('=');
    if (value) {
      word = kSecret;
    } else if (word.starts_with("--") && equals != std::string::npos &&
               IsSecretName(word.substr(2, equals - 2))) {
      word = word.substr(0, equals + 1) + kSecret;
    }
    value = !value && word.starts_with("--") && IsSecretName(word.substr(2));
    if (!AsksForHelp(word)) words.push_back(std::move(word));
  }
  return words;
}

std::string PlantInFile(std::string_view text) {
  std::string planted;
  for (const std::string_view line : Split(text, '\n')) {
    const std::size_t equals = line.find('=');
    const bool secret =
        equals != std::string_view::npos && IsSecretName(Trim(line.substr(0, equals)));
    planted += secret ? std::string(line.substr(0, equals + 1)) + kSecret : std::string(line);
    planted += '\n';
  }
  return planted;
}

/// A file without a name, readable by its owner only; its descriptor.
int MakeFile(const std::string& text) {
  const int fd = memfd_create("config", 0);
  Check(fd >= 0 && fchmod(fd, 0600) == 0);
  Check(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return fd;
}

/// As it is printed: every way out goes through Redact.
void CheckError(const Error& error) {
  const std::string shown = Redact(SentenceOf(error));
  Check(!shown.empty() && shown.find(kSecret) == std::string::npos);
  for (const char c : shown) Check(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

Result<config::Arguments> Parse(std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string filter;
  bool capture = false;
  const config::ExtraArgument extra[] = {
      {.name = "capture", .flag = &capture},
      {.name = "extcap-capture-filter", .letter = 'f', .text = &filter},
  };
  auto arguments = config::ParseArguments(
      static_cast<int>(words.size()), argv.data(), extra, {},
      words.size() % 2 == 0 ? config::UnknownOptions::kIgnore : config::UnknownOptions::kRefuse);
  for (std::size_t i = 1; i < words.size(); ++i) {
    Check(std::strstr(words[i].c_str(), kSecret) == nullptr);  // wiped from argv
  }
  return arguments;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find(kSecret) != std::string_view::npos) return 0;  // where it must not be looked for
  std::vector<std::string_view> parts = Split(text, '\0');
  if (parts.empty() || parts.size() > 60) return 0;
  const int file = MakeFile(PlantInFile(parts.back()));
  parts.pop_back();
  std::vector<std::string> words = PlantInWords(parts);

  auto arguments = Parse(words);
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const system::Environment environment = [&](const char* name) -> const char* {
    return std::strcmp(name, "CLOUDFLAREDUMP_CONFIG") == 0 ? path.c_str() : nullptr;
  };
  if (!arguments) CheckError(arguments.error());
  const config::OptionValues values = arguments ? arguments->values : config::OptionValues();
  for (const auto kind : {config::InterfaceKind::kSample, config::InterfaceKind::kFull,
                          config::InterfaceKind::kDownload}) {
    const auto settings = config::Settings::Load(values, kind, environment);
    if (!settings) {
      CheckError(settings.error());
      continue;
    }
    if (const auto found = config::FindCredentials(*settings); !found) CheckError(found.error());
    const auto account = config::FindAccount(*settings);
    if (!account) CheckError(account.error());
    for (const char c : account.value_or("")) Check(c != '/' && c != '.' && c != '%');
  }
  close(file);
  return 0;
}
