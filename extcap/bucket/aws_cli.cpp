// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_cli.h"

#include <glib.h>
#include <jansson.h>

#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

/// How long before their end keys are renewed.
constexpr Duration kAhead = std::chrono::minutes(5);

std::string Member(const json_t* object, const char* key) {
  return JsonText(object, key).value_or("");
}

/// `text` as one word of a command that a person copies into a shell.
std::string Quoted(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789-_.") == std::string::npos) {
    return text;
  }
  return CleanLine(ShellQuote(text), 200);
}

std::string WhoseKeys(const AwsSettings& settings, const char* way) {
  std::string profile = "the AWS profile " + CleanLine(settings.profile.name, 80);
  if (way == nullptr) return profile;
  return profile + ", which gets its keys " + way;
}

/// What to do when AWS's tool has no keys for a profile.
std::string Remedy(const AwsSettings& settings) {
  const AwsProfile& profile = settings.profile;
  const std::string option = settings.named ? " --profile " + Quoted(profile.name) : "";
  if (!profile.Get("mfa_serial").empty()) {
    return "if it wants a code, which needs a terminal, run: eval \"$(aws configure "
           "export-credentials" +
           option + " --format env)\", and start again from that shell";
  }
  if (!profile.Get("sso_account_id").empty() || !profile.Get("sso_role_name").empty()) {
    return "run: aws sso login" + option;
  }
  if (!profile.Get("login_session").empty()) return "run: aws login" + option;
  return "see what this says: aws sts get-caller-identity" + option;
}

system::Program ExportCommand(const AwsSettings& settings) {
  system::Program program =
      VendorTool(StoreKind::kS3, {"aws", "configure", "export-credentials", "--format", "process"});
  const std::string& name = settings.profile.name;
  if (settings.given) {
    program.argv.insert(program.argv.end(), {"--profile", name});
  } else if (settings.named) {
    // Both: AWS's tools differ in which of them counts.
    program.variables = {{"AWS_PROFILE", name}, {"AWS_DEFAULT_PROFILE", name}};
  }
  program.variables.emplace("AWS_PAGER", "");
  return program;
}

}  // namespace

Result<BucketKeys> ParseProcessKeys(const std::string& text) {
  const Json root(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
  BucketKeys keys{.access_key_id = Member(root.get(), "AccessKeyId"),
                  .secret_access_key = Member(root.get(), "SecretAccessKey"),
                  .session_token = Member(root.get(), "SessionToken")};
  if (!keys.HasPair()) return Fail("what aws printed are not keys");
  const std::string end = Member(root.get(), "Expiration");
  if (end.empty()) return keys;
  keys.ends_at = ParseRfc3339(end);
  if (!keys.ends_at) return Fail("aws does not say clearly when its keys end");
  keys.renew_at = *keys.ends_at - kAhead;
  return keys;
}

Result<BucketKeys> KeysOfAwsTool(const AwsSettings& settings, const char* way,
                                 const ToolAccess& tool) {
  const Result<system::ProgramEnd> end = tool.run(ExportCommand(settings), tool.stop);
  if (!end) return Failure(end);
  const std::string whose = WhoseKeys(settings, way);
  if (!end->found) {
    return Fail("AWS's own tool is needed for " + whose + ", and there is no aws in PATH",
                "install the AWS CLI (version 2.9 or later; Debian: awscli), or set "
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN");
  }
  // What AWS's tool returns for a command that it does not know, in versions 1 and 2.
  if (end->status == 2 || end->status == 252) {
    return Fail("the aws that is installed cannot export keys for " + whose,
                "install the AWS CLI in version 2.9 or later");
  }
  if (end->status != 0) {
    Error error{
        .what = "aws has no keys for " + whose, .remedy = Remedy(settings), .said = WordsOf(*end)};
    return std::unexpected(std::move(error));
  }
  Result<BucketKeys> keys = ParseProcessKeys(end->out);
  if (!keys) return keys;
  RegisterSecret(keys->secret_access_key);
  RegisterSecret(keys->session_token);
  keys->source = settings.named || way != nullptr
                     ? "the AWS profile " + CleanLine(settings.profile.name, 80) + " (by aws)"
                     : "aws configure export-credentials";
  return keys;
}

}  // namespace cloudflaredump::bucket
