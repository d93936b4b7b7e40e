// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/settings.h"

#include <glib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "common/text.h"
#include "extcap/system/private_file.h"

namespace cloudflaredump::config {
namespace {

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};
using KeyFile = std::unique_ptr<GKeyFile, KeyFileFree>;

std::string TakeString(char* raw) {
  std::string text = raw == nullptr ? "" : raw;
  g_free(raw);
  return text;
}

const char* NotEmpty(const char* text) {
  return text != nullptr && *text != '\0' ? text : nullptr;
}

std::string ConfigPath(const system::Environment& environment) {
  if (const char* own = NotEmpty(environment("CLOUDFLAREDUMP_CONFIG"))) return own;
  if (const char* xdg = NotEmpty(environment("XDG_CONFIG_HOME"))) {
    return std::string(xdg) + "/cloudflaredump/config.ini";
  }
  return system::HomeFolder(environment) + "/.config/cloudflaredump/config.ini";
}

/// Inheriting these would mix one profile's account with another's token.
bool IsIdentity(Opt id) {
  return id == Opt::kAccountId || id == Opt::kApiToken || id == Opt::kApiEmail ||
         id == Opt::kApiKey || id == Opt::kAwsAccessKeyId || id == Opt::kAwsSecretAccessKey ||
         id == Opt::kAwsSessionToken;
}

/// The configuration file; a null key file if there is none, or none that can be trusted.
struct ConfigFile {
  std::string path;
  KeyFile keys;
  std::vector<std::string> unknown;

  std::optional<std::string> Value(const std::string& section, const Option& option) const {
    if (!keys || !g_key_file_has_key(keys.get(), section.c_str(), option.name, nullptr)) {
      return std::nullopt;
    }
    char* const raw = g_key_file_get_string(keys.get(), section.c_str(), option.name, nullptr);
    if (raw == nullptr) return std::nullopt;
    return std::string(Trim(TakeString(raw)));
  }

  bool HasSection(const std::string& section) const {
    return keys && g_key_file_has_group(keys.get(), section.c_str());
  }
};

/// Registers the file's secrets and collects unknown keys. True if there is any secret.
bool Survey(ConfigFile& file) {
  bool secret = false;
  char** const sections = g_key_file_get_groups(file.keys.get(), nullptr);
  for (char** section = sections; *section != nullptr; ++section) {
    char** const keys = g_key_file_get_keys(file.keys.get(), *section, nullptr, nullptr);
    for (char** key = keys; key != nullptr && *key != nullptr; ++key) {
      const Option* const option = FindOption(*key);
      const std::string value = option == nullptr ? "" : file.Value(*section, *option).value_or("");
      // Only [default] can choose a profile, and only the dialog can pick.
      const bool chooses = option != nullptr && option->id == Opt::kProfile && !value.empty();
      if (option == nullptr || option->type == OptionType::kPick ||
          (chooses && std::strcmp(*section, "default") != 0)) {
        file.unknown.push_back("[" + CleanLine(*section, 60) + "] " + CleanLine(*key, 60));
        continue;
      }
      secret = secret || HoldsSecret(*option, value);
      RegisterSecrets(*option, value);
    }
    g_strfreev(keys);
  }
  g_strfreev(sections);
  return secret;
}

/// The number, from 1, of the first line of `text` that GLib cannot parse. GLib quotes the line
/// instead, which may be a secret.
std::size_t FirstBadLine(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ends.push_back(i + 1);
  }
  const auto parses = [&](std::size_t end) {
    const KeyFile keys(g_key_file_new());
    const std::string_view head = text.substr(0, end);
    return g_key_file_load_from_data(keys.get(), head.data(), head.size(), G_KEY_FILE_NONE,
                                     nullptr) != 0;
  };
  return static_cast<std::size_t>(std::ranges::partition_point(ends, parses) - ends.begin()) + 1;
}

/// Why GLib could not parse `text`.
std::string WhyUnreadable(std::string_view text, const GError* error) {
  if (g_error_matches(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE)) {
    return Format("line %zu is not [section], key=value or # comment", FirstBadLine(text));
  }
  if (g_error_matches(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND)) {
    return Format("line %zu stands before the first [section]; put the line [default] above it",
                  FirstBadLine(text));
  }
  return CleanLine(error->message);
}

/// Keeps the first problem.
void Note(std::optional<Error>& trouble, std::unexpected<Error> error) {
  if (!trouble) trouble = std::move(error.error());
}

/// The file as far as it can be used; `trouble` gets what is wrong with it. A file that another
/// user could have written is not used at all.
ConfigFile ReadConfigFile(const std::string& path, bool named, std::optional<Error>& trouble) {
  constexpr const char* kWhat = "configuration file";
  ConfigFile file{.path = path, .keys = nullptr, .unknown = {}};
  const std::string shown = CleanLine(path);
  const auto content = system::ReadRegularFile(kWhat, path);
  if (!content) {
    Note(trouble, Failure(content));
    return file;
  }
  if (!*content) {
    if (named) {
      Note(trouble, Fail(Format("there is no configuration file %s", shown.c_str()),
                         "check CLOUDFLAREDUMP_CONFIG"));
    }
    return file;
  }
  const auto& [bytes, mode, owner] = **content;
  if (auto trusted = system::CheckTrusted(kWhat, path, owner, mode); !trusted) {
    Note(trouble, Failure(trusted));
    return file;
  }
  KeyFile keys(g_key_file_new());
  GError* error = nullptr;
  if (!g_key_file_load_from_data(keys.get(), bytes.data(), bytes.size(), G_KEY_FILE_NONE, &error)) {
    const std::string why = WhyUnreadable(bytes, error);
    g_error_free(error);
    Note(trouble,
         Fail(Format("cannot read the configuration file %s: %s", shown.c_str(), why.c_str())));
    return file;
  }
  file.keys = std::move(keys);
  if (Survey(file) && system::OthersMayRead(mode)) {
    Note(trouble, Fail(Format("the configuration file %s holds a secret and others can read it",
                              shown.c_str()),
                       "run: chmod 600 " + ShellQuote(path)));
  }
  return file;
}

/// An empty list of data centers means none; elsewhere empty means unset.
bool IsSet(const Option& option, std::string_view value) {
  return !value.empty() || option.id == Opt::kColos;
}

/// The value of `option` in the file, and its section.
std::optional<Setting> FromFile(const ConfigFile& file, const std::string& profile,
                                const Option& option) {
  for (const std::string& section : {profile, std::string("default")}) {
    if (section != profile && IsIdentity(option.id)) break;
    const auto value = file.Value(section, option);
    if (value && IsSet(option, *value)) {
      return Setting{*value, Source::kFile, file.path + " [" + section + "]"};
    }
  }
  return std::nullopt;
}

std::optional<Setting> FromEnvironment(const system::Environment& environment,
                                       const Option& option) {
  if (option.environment == nullptr) return std::nullopt;
  for (const std::string_view name : Split(option.environment, ',')) {
    const char* const value = environment(std::string(name).c_str());
    if (value != nullptr && IsSet(option, value)) {
      return Setting{value, Source::kEnvironment, std::string(name)};
    }
  }
  return std::nullopt;
}

bool IsPath(const Option& option) {
  return option.type == OptionType::kFile || option.type == OptionType::kFolder;
}

Setting BuiltIn(const Option& option, InterfaceKind kind) {
  const char* const fallback = FallbackOf(option, kind);
  return fallback == nullptr ? Setting() : Setting{fallback, Source::kBuiltIn, "built in"};
}

Setting Effective(const Option& option, const OptionValues& given,
                  const system::Environment& environment, const ConfigFile& file,
                  const std::string& profile, InterfaceKind kind) {
  const auto& value = given[static_cast<std::size_t>(option.id)];
  const std::string typed(Trim(value.value_or("")));
  // Wireshark passes an empty string for a field that the user cleared.
  if (!typed.empty()) {
    return {IsPath(option) ? *value : typed, Source::kGiven, "given as an option"};
  }
  if (option.type == OptionType::kPick) return BuiltIn(option, kind);
  if (auto setting = FromEnvironment(environment, option)) return *setting;
  if (auto setting = FromFile(file, profile, option)) return *setting;
  return BuiltIn(option, kind);
}

/// Refuses a credential that no header can carry, such as one copied with a line break inside.
Result<void> CheckCredential(const Settings& settings, Opt id) {
  const Setting& setting = settings.At(id);
  const auto is_quote = [](char c) { return c == '"' || c == '\''; };
  const std::string& value = setting.value;
  const bool begins = !value.empty() && is_quote(value.front());
  const bool quoted = begins || (!value.empty() && is_quote(value.back()));
  const bool carried = std::ranges::all_of(value, [](char c) { return g_ascii_isgraph(c); });
  if (carried && !quoted) return {};
  return Fail(Format("the %s (%s) %s", OptionOf(id).name, CleanLine(setting.where).c_str(),
                     !carried ? "contains a blank or another character that cannot be part of it"
                     : begins ? "begins with a quotation mark"
                              : "ends with a quotation mark"),
              "copy it again, without quotes or the word Bearer",
              setting.source == Source::kGiven ? Error::Kind::kUsage : Error::Kind::kFinal);
}

}  // namespace

Result<Settings> Settings::Load(const OptionValues& given, InterfaceKind kind,
                                const system::Environment& environment) {
  std::optional<Error> trouble;
  Settings settings = Collect(given, kind, environment, trouble);
  if (trouble) return std::unexpected(*std::move(trouble));
  return settings;
}

Settings Settings::LoadWhatIsGood(InterfaceKind kind, const system::Environment& environment) {
  std::optional<Error> trouble;
  return Collect({}, kind, environment, trouble);
}

Settings Settings::Collect(const OptionValues& given, InterfaceKind kind,
                           const system::Environment& environment, std::optional<Error>& trouble) {
  Settings settings;
  settings.kind_ = kind;
  settings.file_ = ConfigPath(environment);
  const bool named = NotEmpty(environment("CLOUDFLAREDUMP_CONFIG")) != nullptr;
  const ConfigFile file = ReadConfigFile(settings.file_, named, trouble);
  settings.file_exists_ = file.keys != nullptr;
  settings.unknown_keys_ = file.unknown;

  const Option& choice = OptionOf(Opt::kProfile);
  Setting profile = Effective(choice, given, environment, file, "default", kind);
  if (profile.value != "default" && !file.HasSection(profile.value)) {
    Note(trouble,
         Fail(Format("there is no profile [%s] in %s", CleanLine(profile.value, 60).c_str(),
                     CleanLine(settings.file_).c_str()),
              "add it, or name another with the option profile", Error::Kind::kUsage));
    profile = BuiltIn(choice, kind);
  }
  for (const Option& option : AllOptions()) {
    Setting setting = option.id == Opt::kProfile
                          ? profile
                          : Effective(option, given, environment, file, profile.value, kind);
    RegisterSecrets(option, setting.value);
    if (IsPath(option) && setting.value.starts_with("~/")) {
      setting.value.replace(0, 1, system::HomeFolder(environment));  // a dialog has no shell
    }
    const bool matters = option.kinds == 0 || AppliesTo(option, kind);
    if (setting.source != Source::kNone && matters) {
      if (auto good = CheckValue(option, kind, setting.value, setting.where); !good) {
        Note(trouble, Failure(good));
        setting = BuiltIn(option, kind);
      }
    }
    settings.settings_[static_cast<std::size_t>(option.id)] = std::move(setting);
  }
  settings.TakePicks();
  return settings;
}

void Settings::TakePicks() {
  for (const Option& option : AllOptions()) {
    if (option.type != OptionType::kPick) continue;
    const Setting& pick = At(option.id);
    if (pick.value != kAsTyped) settings_[static_cast<std::size_t>(PickedFor(option.id))] = pick;
  }
}

std::uint64_t Settings::Number(Opt id) const {
  return ParseNumber(Text(id)).value_or(0);
}

namespace {

/// "it has the unknown key [default] apitoken" between `before` and `after`, or nothing: what is
/// missing may be there, misspelled, if it is in a section that was looked into.
std::string UnknownKeys(const Settings& settings, const std::string& before,
                        const std::string& after = {}) {
  const std::string profile = "[" + CleanLine(settings.Text(Opt::kProfile), 60) + "] ";
  for (const std::string& key : settings.unknown_keys()) {
    if (key.starts_with("[default] ") || key.starts_with(profile)) {
      return Format("%sit has the unknown key %s%s", before.c_str(), key.c_str(), after.c_str());
    }
  }
  return {};
}

}  // namespace

Result<Credentials> FindCredentials(const Settings& settings) {
  const Setting& token = settings.At(Opt::kApiToken);
  const Setting& email = settings.At(Opt::kApiEmail);
  const Setting& key = settings.At(Opt::kApiKey);
  const bool has_token = token.source != Source::kNone;
  const bool has_key = key.source != Source::kNone && email.source != Source::kNone;
  const bool has_half = !has_key && key.source != email.source;
  if (has_token && (!has_key || token.source <= key.source)) {
    if (auto good = CheckCredential(settings, Opt::kApiToken); !good) return Failure(good);
    return Credentials{.token = token.value, .email = {}, .key = {}};
  }
  if (has_key) {
    for (const Opt id : {Opt::kApiEmail, Opt::kApiKey}) {
      if (auto good = CheckCredential(settings, id); !good) return Failure(good);
    }
    return Credentials{.token = {}, .email = email.value, .key = key.value};
  }
  if (has_half) {
    return Fail(Format("an API key needs its email address, and %s is missing",
                       key.source == Source::kNone ? "the key" : "the address"),
                "set both CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL, or better, an API token");
  }
  return Fail(
      Format("no Cloudflare API token: put api-token=… and account-id=… under [default] in "
             "%s (chmod 600%s), set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, or fill "
             "in the dialog's Account tab",
             CleanLine(settings.file()).c_str(), UnknownKeys(settings, "; ").c_str()),
      "the token needs the permission \"Magic Firewall Packet Captures: Edit\"");
}

Result<std::string> FindAccount(const Settings& settings) {
  const std::string& account = settings.Text(Opt::kAccountId);
  if (account.empty()) {
    return Fail(
        Format("no Cloudflare account ID: put account-id=… under [default] in %s%s, set "
               "CLOUDFLARE_ACCOUNT_ID, or fill in the dialog's Account tab",
               CleanLine(settings.file()).c_str(), UnknownKeys(settings, " (", ")").c_str()),
        "the ID is in the dashboard's URL");
  }
  // It becomes part of a path, so only these characters are allowed.
  const bool good = account.size() <= 32 && std::ranges::all_of(account, [](char c) {
                      return g_ascii_isalnum(c) || c == '-' || c == '_';
                    });
  if (!good) {
    return Fail(Format("account-id is \"%s\" (%s), but an account ID is 32 hexadecimal characters",
                       CleanLine(account, 60).c_str(),
                       CleanLine(settings.At(Opt::kAccountId).where).c_str()),
                "copy it from the dashboard's URL");
  }
  return account;
}

}  // namespace cloudflaredump::config
