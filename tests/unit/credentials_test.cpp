// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/settings.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::config {
namespace {

/// "token T", or "key E K", as FindCredentials chooses.
std::string Choice(const Settings& settings) {
  const Credentials credentials = ValueOf(FindCredentials(settings));
  if (!credentials.token.empty()) {
    AssertText(credentials.email + credentials.key, "");
    return "token " + credentials.token;
  }
  return "key " + credentials.email + " " + credentials.key;
}

const OptionValues kGivenPair = Given({{Opt::kApiEmail, "me@x"}, {Opt::kApiKey, "typed-key"}});

void EitherFormAloneIsTaken(void**) {
  AssertText(Choice(LoadSettings(Given({{Opt::kApiToken, "typed-token"}}))), "token typed-token");
  AssertText(Choice(LoadSettings(kGivenPair)), "key me@x typed-key");
}

void OfEquallyStrongOnesTheToken(void**) {
  OptionValues both = kGivenPair;
  both[static_cast<std::size_t>(Opt::kApiToken)] = "typed-token";
  AssertText(Choice(LoadSettings(both)), "token typed-token");
}

void TheStrongerSourceWins(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_API_TOKEN", "token-of-env");
  AssertText(Choice(LoadSettings(kGivenPair, InterfaceKind::kSample, environment)),
             "key me@x typed-key");

  const TempFolder folder;
  environment.Set("CLOUDFLAREDUMP_CONFIG",
                  folder.Write("c", "[default]\napi-email=f@x\napi-key=key-of-file\n"));
  AssertText(Choice(LoadSettings({}, InterfaceKind::kSample, environment)), "token token-of-env");
}

void AnIncompletePairDoesNotStandInTheTokensWay(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_API_TOKEN", "token-of-env");
  const OptionValues half = Given({{Opt::kApiKey, "typed-key"}});
  AssertText(Choice(LoadSettings(half, InterfaceKind::kSample, environment)), "token token-of-env");
}

void HalfAPairAloneSaysWhatIsMissing(void**) {
  const auto key_only = FindCredentials(LoadSettings(Given({{Opt::kApiKey, "typed-key"}})));
  AssertFails(key_only, Error::Kind::kFinal,
              "an API key needs its email address, and the address is missing");
  AssertLacks(SentenceOf(key_only.error()), "typed-key");
  AssertFails(FindCredentials(LoadSettings(Given({{Opt::kApiEmail, "me@x"}}))), Error::Kind::kFinal,
              "the key is missing");
}

/// The sentence for a first-time user names the file first: a desktop-started Wireshark has no
/// shell's variables.
void NothingAtAllLeadsTheUser(void**) {
  const Error error = ErrorOf(FindCredentials(LoadSettings({})));
  std::size_t at = 0;
  for (const char* piece :
       {"no Cloudflare API token", "/nonexistent/.config/cloudflaredump/config.ini", "chmod 600",
        "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "Account tab",
        "Magic Firewall Packet Captures"}) {
    at = SentenceOf(error).find(piece, at);
    if (at == std::string::npos) fail_msg("%s: no %s", SentenceOf(error).c_str(), piece);
  }
}

/// No header can carry them, and a server's 6003 would not say what is wrong.
void ACredentialWithABlankInsideIsRefusedByItsSource(void**) {
  for (const char* bad :
       {"Bearer planted-6", "planted-6\nplanted-7", "\"planted 6\"", "planted-ü"}) {
    FakeEnvironment environment;
    environment.Set("CLOUDFLARE_API_TOKEN", bad);
    const auto found = FindCredentials(LoadSettings({}, InterfaceKind::kSample, environment));
    AssertFails(found, Error::Kind::kFinal,
                "the api-token (CLOUDFLARE_API_TOKEN) contains a blank");
    AssertLacks(SentenceOf(found.error()), "planted");
    // What is not used does not matter.
    AssertText(Choice(LoadSettings(kGivenPair, InterfaceKind::kSample, environment)),
               "key me@x typed-key");
  }
  AssertFails(FindCredentials(LoadSettings(Given({{Opt::kApiEmail, "a b"}, {Opt::kApiKey, "k"}}))),
              Error::Kind::kUsage, "the api-email (given as an option) contains a blank");
  for (const char* quoted : {"\"planted-8\"", "'planted-8'"}) {
    FakeEnvironment environment;
    environment.Set("CLOUDFLARE_API_TOKEN", quoted);
    AssertFails(FindCredentials(LoadSettings({}, InterfaceKind::kSample, environment)),
                Error::Kind::kFinal,
                "the api-token (CLOUDFLARE_API_TOKEN) begins with a quotation mark; copy it again");
  }
  AssertFails(FindCredentials(LoadSettings(Given({{Opt::kApiToken, "planted-8\""}}))),
              Error::Kind::kUsage, "the api-token (given as an option) ends with a quotation mark");
  AssertText(
      Choice(LoadSettings(Given({{Opt::kApiEmail, "o'hara@x"}, {Opt::kApiKey, "typed-key"}}))),
      "key o'hara@x typed-key");
}

void AnAccountIsTakenAsItIs(void**) {
  for (const char* good : {"0123456789abcdef0123456789abcdef", "A", "my_account-1"}) {
    AssertText(ValueOf(FindAccount(LoadSettings(Given({{Opt::kAccountId, good}})))), good);
  }
}

void NoAccountLeadsTheUser(void**) {
  AssertFails(FindAccount(LoadSettings({})), Error::Kind::kFinal,
              "no Cloudflare account ID: put account-id=… under [default] in "
              "/nonexistent/.config/cloudflaredump/config.ini");
}

/// The account becomes part of a URL's path.
void AnAccountThatIsNoAccountIsRefused(void**) {
  for (const char* bad :
       {"../user", "a/b", "a?b", "a b", "a%2e", "ü", "0123456789abcdef0123456789abcdef0"}) {
    AssertFails(FindAccount(LoadSettings(Given({{Opt::kAccountId, bad}}))), Error::Kind::kFinal,
                "(given as an option), but an account ID is 32 hexadecimal characters");
  }
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EitherFormAloneIsTaken),
      cmocka_unit_test(OfEquallyStrongOnesTheToken),
      cmocka_unit_test(TheStrongerSourceWins),
      cmocka_unit_test(AnIncompletePairDoesNotStandInTheTokensWay),
      cmocka_unit_test(HalfAPairAloneSaysWhatIsMissing),
      cmocka_unit_test(NothingAtAllLeadsTheUser),
      cmocka_unit_test(ACredentialWithABlankInsideIsRefusedByItsSource),
      cmocka_unit_test(AnAccountIsTakenAsItIs),
      cmocka_unit_test(NoAccountLeadsTheUser),
      cmocka_unit_test(AnAccountThatIsNoAccountIsRefused),
  };
  return cmocka_run_group_tests_name("credentials", tests, nullptr, nullptr);
}
