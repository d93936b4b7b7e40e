// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/settings.h"

#include <sys/stat.h>

#include "common/redact.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/option_values.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::config {
namespace {

/// A configuration file and the environment that names it.
struct ConfigFixture {
  explicit ConfigFixture(std::string_view content, mode_t mode = 0600)
      : path(folder.Write("config.ini", content, mode)) {
    environment.Set("CLOUDFLAREDUMP_CONFIG", path);
  }

  Result<Settings> Load(const OptionValues& given = {},
                        InterfaceKind kind = InterfaceKind::kSample) const {
    return Settings::Load(given, kind, environment.Reader());
  }

  TempFolder folder;
  std::string path;
  FakeEnvironment environment;
};

void AssertSetting(const Settings& settings, Opt id, const std::string& value, Source source,
                   const std::string& where) {
  const Setting& setting = settings.At(id);
  AssertText(setting.value, value);
  AssertText(setting.where, where);
  assert_true(setting.source == source);
  assert_true(settings.Has(id));
}

/// The environment's name of `option`, the first one that counts.
std::string EnvironmentOf(const Option& option) {
  return option.environment == nullptr ? std::string()
                                       : std::string(Split(option.environment, ',').front());
}

void EachSourceYieldsToTheStrongerOnes(void**) {
  for (const Option& option : AllOptions()) {
    // A file cannot choose its section, and only the dialog picks: they have tests of their own.
    if (option.id == Opt::kProfile || option.type == OptionType::kPick) continue;
    const InterfaceKind kind = KindOf(option);
    const std::string in_file = SomeValue(option, 2);
    ConfigFixture config("[default]\n" + std::string(option.name) + "=" + in_file + "\n");
    const std::string name = EnvironmentOf(option);

    AssertSetting(ValueOf(config.Load({}, kind)), option.id, in_file, Source::kFile,
                  config.path + " [default]");
    if (!name.empty()) {
      config.environment.Set(name, SomeValue(option, 1));
      AssertSetting(ValueOf(config.Load({}, kind)), option.id, SomeValue(option, 1),
                    Source::kEnvironment, name);
    }
    const std::string typed = SomeValue(option, 0);
    AssertSetting(ValueOf(config.Load(Given({{option.id, typed}}), kind)), option.id, typed,
                  Source::kGiven, "given as an option");
  }
}

void WithNothingGivenTheDefaultsHold(void**) {
  for (const InterfaceKind kind : kKinds) {
    const Settings settings = LoadSettings({}, kind);
    assert_true(settings.kind() == kind);
    assert_false(settings.file_exists());
    for (const Option& option : AllOptions()) {
      const char* const fallback = FallbackOf(option, kind);
      assert_int_equal(settings.Has(option.id), fallback != nullptr);
      if (fallback == nullptr) {
        AssertText(settings.Text(option.id), "");
      } else {
        AssertSetting(settings, option.id, fallback, Source::kBuiltIn, "built in");
      }
    }
  }
}

void ValuesAreReadAsTheirTypes(void**) {
  const Settings settings =
      LoadSettings(Given({{Opt::kTimeLimit, "42"}, {Opt::kFilterIpv6, "on"}}));
  assert_int_equal(settings.Number(Opt::kTimeLimit), 42);
  assert_int_equal(settings.Number(Opt::kByteLimit), 0);
  assert_true(settings.IsOn(Opt::kFilterIpv6));
  assert_true(settings.IsOn(Opt::kLocalFilter));
  assert_false(LoadSettings({}).IsOn(Opt::kFilterIpv6));
}

void AFieldThatTheUserClearedIsNotGiven(void**) {
  AssertSetting(LoadSettings(Given({{Opt::kTimeLimit, ""}})), Opt::kTimeLimit, "300",
                Source::kBuiltIn, "built in");
}

void EmptyVariablesAreUnset(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_API_TOKEN", "").Set("CLOUDFLAREDUMP_CONFIG", "");
  assert_false(LoadSettings({}, InterfaceKind::kSample, environment).Has(Opt::kApiToken));
}

void EmptyKeysOfTheFileAreUnset(void**) {
  const ConfigFixture config("[default]\napi-token=\ntime-limit = \nlocal-filter=\n");
  const Settings settings = ValueOf(config.Load());
  assert_false(settings.Has(Opt::kApiToken));
  AssertText(settings.Text(Opt::kTimeLimit), "300");
  assert_true(settings.IsOn(Opt::kLocalFilter));
}

void AnEmptyListOfDataCentersIsAList(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_COLOS", "");
  AssertSetting(LoadSettings({}, InterfaceKind::kSample, environment), Opt::kColos, "",
                Source::kEnvironment, "CLOUDFLAREDUMP_COLOS");
  const ConfigFixture config("[default]\ncolos=\n");
  AssertSetting(ValueOf(config.Load()), Opt::kColos, "", Source::kFile, config.path + " [default]");
}

void TheSecondNameOfAVariableCountsToo(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_BASE_URL", "http://127.0.0.1:1");
  AssertSetting(LoadSettings({}, InterfaceKind::kSample, environment), Opt::kApiBaseUrl,
                "http://127.0.0.1:1", Source::kEnvironment, "CLOUDFLARE_BASE_URL");
  environment.Set("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:2");
  AssertSetting(LoadSettings({}, InterfaceKind::kSample, environment), Opt::kApiBaseUrl,
                "http://127.0.0.1:2", Source::kEnvironment, "CLOUDFLARE_API_BASE_URL");
}

constexpr const char* kTwoProfiles =
    "# accounts\n"
    "[default]\n"
    "account-id=default-account\n"
    "api-token=default-token\n"
    "time-limit=200\n"
    "requests-per-window=3\n"
    "[lab]\n"
    "account-id = lab-account\n"
    "time-limit = 100\n";

void AProfileInheritsWhatIsNoIdentity(void**) {
  const ConfigFixture config(kTwoProfiles);
  const Settings lab = ValueOf(config.Load(Given({{Opt::kProfile, "lab"}})));
  AssertSetting(lab, Opt::kAccountId, "lab-account", Source::kFile, config.path + " [lab]");
  AssertSetting(lab, Opt::kTimeLimit, "100", Source::kFile, config.path + " [lab]");
  AssertSetting(lab, Opt::kRequestsPerWindow, "3", Source::kFile, config.path + " [default]");
  assert_false(lab.Has(Opt::kApiToken));

  const Settings plain = ValueOf(config.Load());
  AssertSetting(plain, Opt::kApiToken, "default-token", Source::kFile, config.path + " [default]");
  AssertSetting(plain, Opt::kTimeLimit, "200", Source::kFile, config.path + " [default]");
}

void NoPartOfAnIdentityIsInherited(void**) {
  for (const Opt id : {Opt::kAccountId, Opt::kApiToken, Opt::kApiEmail, Opt::kApiKey,
                       Opt::kAwsAccessKeyId, Opt::kAwsSecretAccessKey, Opt::kAwsSessionToken}) {
    const ConfigFixture config("[default]\n" + std::string(OptionOf(id).name) +
                               "=of-the-default\n[lab]\ntime-limit=9\n");
    assert_true(ValueOf(config.Load()).Has(id));
    assert_false(ValueOf(config.Load(Given({{Opt::kProfile, "lab"}}))).Has(id));
  }
}

void TheProfileComesFromTheDialogOrTheEnvironment(void**) {
  ConfigFixture config(kTwoProfiles);
  config.environment.Set("CLOUDFLAREDUMP_PROFILE", "lab");
  AssertText(ValueOf(config.Load()).Text(Opt::kAccountId), "lab-account");
  const Settings typed = ValueOf(config.Load(Given({{Opt::kProfile, "default"}})));
  AssertText(typed.Text(Opt::kAccountId), "default-account");
}

void TheFileMayChooseAProfile(void**) {
  ConfigFixture config("[default]\nprofile=lab\n[lab]\ntime-limit=7\n[other]\ntime-limit=8\n");
  AssertText(ValueOf(config.Load()).Text(Opt::kTimeLimit), "7");
  config.environment.Set("CLOUDFLAREDUMP_PROFILE", "other");
  AssertText(ValueOf(config.Load()).Text(Opt::kTimeLimit), "8");
  const ConfigFixture wrong("[default]\nprofile=lba\n");
  AssertFails(wrong.Load(), Error::Kind::kUsage, "there is no profile [lba]");
}

void AProfileThatIsNotThereIsRefused(void**) {
  const ConfigFixture config(kTwoProfiles);
  AssertFails(config.Load(Given({{Opt::kProfile, "lba"}})), Error::Kind::kUsage,
              "there is no profile [lba] in " + config.path +
                  "; add it, or name another with the option profile.");
  AssertFails(Settings::Load(Given({{Opt::kProfile, "lab"}}), InterfaceKind::kSample,
                             FakeEnvironment().Reader()),
              Error::Kind::kUsage, "there is no profile [lab]");
}

void AFileWithoutDefaultIsFine(void**) {
  const ConfigFixture config("[lab]\ntime-limit=7\n");
  AssertText(ValueOf(config.Load()).Text(Opt::kTimeLimit), "300");
  AssertText(ValueOf(config.Load(Given({{Opt::kProfile, "lab"}}))).Text(Opt::kTimeLimit), "7");
}

void TheFileIsLookedForWherePeopleKeepIt(void**) {
  const TempFolder folder;
  FakeEnvironment environment;
  environment.Set("HOME", folder.path());
  folder.Write(".config/cloudflaredump/config.ini", "[default]\ntime-limit=11\n");
  Settings settings = LoadSettings({}, InterfaceKind::kSample, environment);
  AssertText(settings.file(), folder / ".config/cloudflaredump/config.ini");
  assert_true(settings.file_exists());
  AssertText(settings.Text(Opt::kTimeLimit), "11");

  environment.Set("XDG_CONFIG_HOME", folder / "xdg");
  folder.Write("xdg/cloudflaredump/config.ini", "[default]\ntime-limit=12\n");
  AssertText(LoadSettings({}, InterfaceKind::kSample, environment).Text(Opt::kTimeLimit), "12");

  environment.Set("CLOUDFLAREDUMP_CONFIG", folder.Write("own.ini", "[default]\ntime-limit=13\n"));
  AssertText(LoadSettings({}, InterfaceKind::kSample, environment).Text(Opt::kTimeLimit), "13");
}

void AFileThatWasNamedMustBeThere(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_CONFIG", "/nonexistent/config.ini");
  AssertFails(
      Settings::Load({}, InterfaceKind::kSample, environment.Reader()), Error::Kind::kFinal,
      "there is no configuration file /nonexistent/config.ini; check CLOUDFLAREDUMP_CONFIG.");
}

void ASecretThatOthersCanReadIsRefusedWithTheCommand(void**) {
  for (const char* key : {"api-token", "api-key", "aws-secret-access-key", "aws-session-token"}) {
    for (const mode_t mode : {0644U, 0640U, 0604U}) {
      const ConfigFixture config("[other]\n" + std::string(key) + "=planted-secret-1\n", mode);
      const Result<Settings> settings = config.Load();
      AssertFails(settings, Error::Kind::kFinal,
                  "holds a secret and others can read it; run: chmod 600 '" + config.path + "'");
      AssertLacks(SentenceOf(settings.error()), "planted-secret-1");
      assert_int_equal(chmod(config.path.c_str(), 0600), 0);
      AssertGood(config.Load());
    }
  }
}

void AnAddressWithKeysIsASecretOfTheFile(void**) {
  for (const char* key : {"destination-conf", "read-from"}) {
    const ConfigFixture config("[default]\n" + std::string(key) +
                                   "=r2://b?account-id=1&access-key-id=planted-id"
                                   "&secret-access-key=planted-key\n",
                               0644);
    AssertFails(config.Load(), Error::Kind::kFinal, "run: chmod 600 '" + config.path + "'");
    AssertText(Redact("planted-id planted-key"), "[secret] [secret]");
  }
}

/// Whoever can write to the file can send the token elsewhere, with or without one in the file.
void AFileThatOthersCanWriteIsRefused(void**) {
  for (const char* content : {"", "[default]\ncolos=FRA\n", "[default]\napi-token=planted-3\n"}) {
    for (const mode_t mode : {0620U, 0602U, 0666U}) {
      const ConfigFixture config(content, mode);
      AssertFails(config.Load(), Error::Kind::kFinal,
                  "others can write to the configuration file " + config.path +
                      "; run: chmod 600 '" + config.path + "'.");
      const Settings good =
          Settings::LoadWhatIsGood(InterfaceKind::kSample, config.environment.Reader());
      AssertText(good.At(Opt::kColos).where, "built in");
    }
  }
}

void WhatIsNotAFileIsRefusedAtOnce(void**) {
  ConfigFixture config("");
  const std::string fifo = config.folder / "fifo";
  assert_int_equal(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, std::string("/dev/zero"), config.folder.path()}) {
    config.environment.Set("CLOUDFLAREDUMP_CONFIG", path);
    AssertFails(config.Load(), Error::Kind::kFinal,
                "the configuration file " + path + " is not a regular file.");
  }
}

void AdvisedCommandsAreQuoted(void**) {
  const TempFolder folder;
  FakeEnvironment environment;
  const std::string path = folder.Write("it's; reboot", "[default]\napi-token=planted-4\n", 0644);
  environment.Set("CLOUDFLAREDUMP_CONFIG", path);
  AssertFails(Settings::Load({}, InterfaceKind::kSample, environment.Reader()), Error::Kind::kFinal,
              "it'\\''s; reboot'.");
}

void AFileWithoutSecretsMayBeReadByAll(void**) {
  const ConfigFixture config("[default]\naccount-id=0123456789abcdef\napi-email=a@b.c\n", 0644);
  AssertText(ValueOf(config.Load()).Text(Opt::kApiEmail), "a@b.c");
}

void UnknownKeysAreKeptForCheck(void**) {
  const ConfigFixture config(
      "[default]\napi_token=x\ntime-limit=5\n[lab]\nTime-Limit=6\ncolor=blue\nprofile=x\n");
  const Settings settings = ValueOf(config.Load());
  assert_int_equal(settings.unknown_keys().size(), 4);
  AssertText(settings.unknown_keys()[0], "[default] api_token");
  AssertText(settings.unknown_keys()[1], "[lab] Time-Limit");
  AssertText(settings.unknown_keys()[2], "[lab] color");
  AssertText(settings.unknown_keys()[3], "[lab] profile");  // only [default] can choose
  AssertText(settings.Text(Opt::kTimeLimit), "5");
  // A misspelled key is why there is no token, so the sentence names it.
  AssertFails(FindCredentials(settings), Error::Kind::kFinal,
              "(chmod 600; it has the unknown key [default] api_token), set CLOUDFLARE_API_TOKEN");
  AssertFails(FindAccount(settings), Error::Kind::kFinal,
              "config.ini (it has the unknown key [default] api_token), set CLOUDFLARE_ACCOUNT_ID");
  // One of a profile that is not in use has nothing to do with it.
  const ConfigFixture another("[default]\ntime-limit=5\n[lab]\ncolor=blue\n");
  const Settings other = ValueOf(another.Load());
  AssertFails(FindCredentials(other), Error::Kind::kFinal, "(chmod 600), set CLOUDFLARE_API_TOKEN");
  AssertFails(FindAccount(other), Error::Kind::kFinal, "config.ini, set CLOUDFLARE_ACCOUNT_ID");
}

void KeysWithoutASectionAreToldSo(void**) {
  const ConfigFixture config("api-token=planted-secret-2\n[default]\n");
  const Result<Settings> settings = config.Load();
  AssertFails(settings, Error::Kind::kFinal,
              ": line 1 stands before the first [section]; put the line [default] above it");
  AssertLacks(SentenceOf(settings.error()), "planted-secret-2");
}

/// GLib quotes the line that it cannot read, which may be a token on its own.
void ABrokenFileIsRefusedWithoutItsContent(void**) {
  for (const char* content :
       {"[default]\nplanted-secret-2\n", "[default]\napi-token: planted-secret-2\n",
        "planted-secret-2\n", "[planted-secret-2\n", "[default]\n = planted-secret-2\n"}) {
    const ConfigFixture config(content);
    const Result<Settings> settings = config.Load();
    AssertFails(settings, Error::Kind::kFinal, "cannot read the configuration file " + config.path);
    AssertLacks(SentenceOf(settings.error()), "planted-secret-2");
  }
}

void TheFirstBrokenLineIsNamed(void**) {
  const std::string good = "# mine\n\n[default]\ncolos = ORD\n";
  for (const char* bad : {"ORD", "ORD\n", "ORD\n[other]\nFRA\n"}) {
    const ConfigFixture config(good + bad);
    AssertFails(config.Load(), Error::Kind::kFinal,
                ": line 5 is not [section], key=value or # comment");
  }
}

void AFileOfAnotherEncodingIsRefused(void**) {
  const ConfigFixture config("\xff\xfe[\0");  // as Windows' Notepad begins UTF-16
  AssertFails(config.Load(), Error::Kind::kFinal, "cannot read the configuration file");
}

void AnEmptyFileIsAFile(void**) {
  const ConfigFixture config("");
  assert_true(ValueOf(config.Load()).file_exists());
}

void ABadValueNamesItsSource(void**) {
  ConfigFixture config("[default]\ntime-limit=301\n");
  AssertFails(config.Load(), Error::Kind::kUsage,
              "time-limit is \"301\" (" + config.path + " [default])");
  AssertGood(config.Load({}, InterfaceKind::kFull));
  // A download has no time limit: what stands there does not matter.
  AssertGood(config.Load({}, InterfaceKind::kDownload));
  AssertFails(config.Load(Given({{Opt::kTimeLimit, "5"}, {Opt::kPacketLimit, "0"}})),
              Error::Kind::kUsage, "packet-limit is \"0\" (given as an option)");
  config.environment.Set("CLOUDFLAREDUMP_LOG_LEVEL", "loud");
  AssertFails(config.Load(Given({{Opt::kTimeLimit, "5"}})), Error::Kind::kUsage,
              "log-level is \"loud\" (CLOUDFLAREDUMP_LOG_LEVEL), but it must be none, error");
}

void EverySecretIsRegisteredWhereverItStands(void**) {
  ConfigFixture config("[unused]\napi-token=planted-in-another-profile\n");
  config.environment.Set("AWS_SESSION_TOKEN", "planted-in-the-environment");
  AssertGood(config.Load(Given({{Opt::kApiKey, "planted-in-the-dialog"}})));
  AssertText(Redact("planted-in-another-profile"), "[secret]");
  AssertText(Redact("planted-in-the-environment"), "[secret]");
  AssertText(Redact("planted-in-the-dialog"), "[secret]");
}

void TheProcessesEnvironmentIsTheOne(void**) {
  setenv("CLOUDFLAREDUMP_SETTINGS_TEST", "here", 1);
  AssertText(system::ProcessEnvironment("CLOUDFLAREDUMP_SETTINGS_TEST"), "here");
  unsetenv("CLOUDFLAREDUMP_SETTINGS_TEST");
  assert_null(system::ProcessEnvironment("CLOUDFLAREDUMP_SETTINGS_TEST"));
}

void APickOverridesWhatIsTyped(void**) {
  OptionValues given = Given({{Opt::kColo, "LHR"}, {Opt::kColoPick, "typed"}});
  AssertText(LoadSettings(given, InterfaceKind::kFull).Text(Opt::kColo), "LHR");
  given[static_cast<std::size_t>(Opt::kColoPick)] = "FRA";
  const Settings settings = LoadSettings(given, InterfaceKind::kFull);
  AssertText(settings.Text(Opt::kColo), "FRA");
  AssertText(settings.At(Opt::kColo).where, "given as an option");
  given[static_cast<std::size_t>(Opt::kColo)].reset();
  AssertText(LoadSettings(given, InterfaceKind::kFull).Text(Opt::kColo), "FRA");
}

void OnlyTheDialogPicks(void**) {
  const ConfigFixture config("[default]\ncolo=LHR\ncolo-pick=FRA\n");
  const Settings settings = ValueOf(config.Load({}, InterfaceKind::kFull));
  AssertText(settings.Text(Opt::kColo), "LHR");
  AssertText(settings.unknown_keys().at(0), "[default] colo-pick");
}

/// Blanks come with pasting. A path may really end in one.
void WhatIsTypedIsTrimmed(void**) {
  const Settings settings = LoadSettings(Given({{Opt::kApiToken, " planted-token-5\n"},
                                                {Opt::kTimeLimit, "7 "},
                                                {Opt::kPacketLimit, " "},
                                                {Opt::kKeepOriginals, "/folder "}}));
  AssertText(settings.Text(Opt::kApiToken), "planted-token-5");
  AssertText(Redact("planted-token-5"), "[secret]");
  AssertText(settings.Text(Opt::kTimeLimit), "7");
  AssertText(settings.Text(Opt::kPacketLimit), "10000");
  AssertText(settings.Text(Opt::kKeepOriginals), "/folder ");
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APickOverridesWhatIsTyped),
      cmocka_unit_test(OnlyTheDialogPicks),
      cmocka_unit_test(WhatIsTypedIsTrimmed),
      cmocka_unit_test(EachSourceYieldsToTheStrongerOnes),
      cmocka_unit_test(WithNothingGivenTheDefaultsHold),
      cmocka_unit_test(ValuesAreReadAsTheirTypes),
      cmocka_unit_test(AFieldThatTheUserClearedIsNotGiven),
      cmocka_unit_test(EmptyVariablesAreUnset),
      cmocka_unit_test(EmptyKeysOfTheFileAreUnset),
      cmocka_unit_test(AnEmptyListOfDataCentersIsAList),
      cmocka_unit_test(TheSecondNameOfAVariableCountsToo),
      cmocka_unit_test(AProfileInheritsWhatIsNoIdentity),
      cmocka_unit_test(NoPartOfAnIdentityIsInherited),
      cmocka_unit_test(TheProfileComesFromTheDialogOrTheEnvironment),
      cmocka_unit_test(TheFileMayChooseAProfile),
      cmocka_unit_test(AProfileThatIsNotThereIsRefused),
      cmocka_unit_test(AFileWithoutDefaultIsFine),
      cmocka_unit_test(TheFileIsLookedForWherePeopleKeepIt),
      cmocka_unit_test(AFileThatWasNamedMustBeThere),
      cmocka_unit_test(ASecretThatOthersCanReadIsRefusedWithTheCommand),
      cmocka_unit_test(AnAddressWithKeysIsASecretOfTheFile),
      cmocka_unit_test(AFileThatOthersCanWriteIsRefused),
      cmocka_unit_test(WhatIsNotAFileIsRefusedAtOnce),
      cmocka_unit_test(AdvisedCommandsAreQuoted),
      cmocka_unit_test(AFileWithoutSecretsMayBeReadByAll),
      cmocka_unit_test(UnknownKeysAreKeptForCheck),
      cmocka_unit_test(KeysWithoutASectionAreToldSo),
      cmocka_unit_test(ABrokenFileIsRefusedWithoutItsContent),
      cmocka_unit_test(TheFirstBrokenLineIsNamed),
      cmocka_unit_test(AFileOfAnotherEncodingIsRefused),
      cmocka_unit_test(AnEmptyFileIsAFile),
      cmocka_unit_test(ABadValueNamesItsSource),
      cmocka_unit_test(EverySecretIsRegisteredWhereverItStands),
      cmocka_unit_test(TheProcessesEnvironmentIsTheOne),
  };
  return cmocka_run_group_tests_name("settings", tests, nullptr, nullptr);
}
