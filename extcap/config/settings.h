// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/config/options.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::config {

/// Where a value came from, strongest first.
enum class Source : std::uint8_t { kGiven, kEnvironment, kFile, kBuiltIn, kNone };

/// One effective value.
struct Setting {
  std::string value;
  Source source = Source::kNone;
  std::string where;  ///< "--time-limit", "CLOUDFLARE_API_TOKEN", "PATH [default]", "built in"
};

/// The effective value of every option: the dialog or command line, then the environment, then the
/// profile of the configuration file, then the built-in default.
class Settings {
 public:
  /// Reads the configuration file if there is one. Errors: a file that others can read and that
  /// holds a secret (with the chmod to run), a file that is no key file, an unknown profile, a
  /// value out of range. Registers every secret it meets with RegisterSecret.
  static Result<Settings> Load(const OptionValues& given, InterfaceKind kind,
                               const system::Environment& environment);

  /// What of it is good: a value that cannot be is the built-in one, a profile that is not there
  /// [default], a file that others can read is read all the same. For the face, where one wrong
  /// value must not hide the interfaces; the capture itself will complain.
  static Settings LoadWhatIsGood(InterfaceKind kind, const system::Environment& environment);

  bool Has(Opt id) const { return At(id).source != Source::kNone; }
  /// The value, empty if there is none.
  const std::string& Text(Opt id) const { return At(id).value; }
  /// The value of a kNumber option that has one.
  std::uint64_t Number(Opt id) const;
  bool IsOn(Opt id) const { return Text(id) == "on"; }
  const Setting& At(Opt id) const { return settings_[static_cast<std::size_t>(id)]; }

  InterfaceKind kind() const { return kind_; }
  /// The configuration file's path, there or not.
  const std::string& file() const { return file_; }
  bool file_exists() const { return file_exists_; }
  /// Keys in the file that no option has, as "[section] key"; for `check`.
  const std::vector<std::string>& unknown_keys() const { return unknown_keys_; }

 private:
  /// Loads as far as it goes; `trouble` becomes the first Error, if there is one.
  static Settings Collect(const OptionValues& given, InterfaceKind kind,
                          const system::Environment& environment, std::optional<Error>& trouble);
  /// What was picked from a list takes the place of what was typed.
  void TakePicks();

  InterfaceKind kind_ = InterfaceKind::kSample;
  std::array<Setting, static_cast<std::size_t>(Opt::kCount)> settings_;
  std::string file_;
  bool file_exists_ = false;
  std::vector<std::string> unknown_keys_;
};

/// How the API is to be told who asks: a token, or e-mail and key.
struct Credentials {
  std::string token;
  std::string email;
  std::string key;
};

/// The strongest complete credentials; of equally strong ones the token. The Error leads a
/// first-time user: file, variables, dialog tab, permission.
Result<Credentials> FindCredentials(const Settings& settings);

/// The account id, checked for its shape.
Result<std::string> FindAccount(const Settings& settings);

}  // namespace cloudflaredump::config
