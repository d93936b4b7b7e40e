// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/config/options.h"
#include "extcap/system/environment.h"

namespace cloudflaredump::config {

/// Where a value came from, highest priority first.
enum class Source : std::uint8_t { kGiven, kEnvironment, kFile, kBuiltIn, kNone };

/// One effective value.
struct Setting {
  std::string value;
  Source source = Source::kNone;
  /// "given as an option", "CLOUDFLARE_API_TOKEN", "PATH [default]", "built in".
  std::string where;
};

/// The effective value of every option: the dialog or command line, then the environment, then the
/// profile of the configuration file, then the built-in default.
class Settings {
 public:
  /// Reads the configuration file if there is one. Errors: a file that others can write, or that
  /// holds a secret and others can read, with the chmod to run; a file that cannot be parsed; an
  /// unknown profile; a value out of range. Registers every secret with RegisterSecret.
  static Result<Settings> Load(const OptionValues& given, InterfaceKind kind,
                               const system::Environment& environment);

  /// Loads what is valid: a wrong value is replaced by the built-in one, an unknown profile by
  /// [default]; a file that others can read is read anyway. For the front end, where one wrong
  /// value must not hide the interfaces; the capture itself reports it.
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
  /// The file's unknown keys, as "[section] key"; for `check`.
  const std::vector<std::string>& unknown_keys() const { return unknown_keys_; }

 private:
  /// Loads as much as possible; `trouble` becomes the first Error, if there is one.
  static Settings Collect(const OptionValues& given, InterfaceKind kind,
                          const system::Environment& environment, std::optional<Error>& trouble);
  /// Replaces what was typed by what was picked from a list.
  void TakePicks();

  InterfaceKind kind_ = InterfaceKind::kSample;
  std::array<Setting, static_cast<std::size_t>(Opt::kCount)> settings_;
  std::string file_;
  bool file_exists_ = false;
  std::vector<std::string> unknown_keys_;
};

/// What authenticates us to the API: a token, or email address and key.
struct Credentials {
  std::string token;
  std::string email;
  std::string key;
};

/// The complete credentials of the highest priority; the token if there are two. The Error tells a
/// first-time user what to do: file, variables, dialog tab, permission.
Result<Credentials> FindCredentials(const Settings& settings);

/// The account ID, its form checked.
Result<std::string> FindAccount(const Settings& settings);

}  // namespace cloudflaredump::config
