// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/gcloud.h"

#include <glib.h>

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

/// gcloud prints a token that it has if it holds for five minutes more.
constexpr Duration kHoldsFor = std::chrono::minutes(4);

bool IsToken(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return g_ascii_isgraph(c); });
}

Result<BucketKeys> Ask(std::vector<std::string> argv, WallTime now, const ToolAccess& tool) {
  std::string command;
  for (const std::string& word : argv) command.append(command.empty() ? "" : " ").append(word);
  argv.emplace_back("--quiet");
  system::Program program = VendorTool(StoreKind::kGcs, std::move(argv));
  program.variables = {{"CLOUDSDK_CORE_DISABLE_PROMPTS", "1"}};
  const Result<system::ProgramEnd> end = tool.run(program, tool.stop);
  if (!end) return Failure(end);
  if (!end->found) {
    return Fail("there is no gcloud in PATH", "install the Google Cloud CLI");
  }
  if (end->status != 0) {
    return std::unexpected(Error{.what = "gcloud has no access token",
                                 .remedy = "run: gcloud auth login",
                                 .said = WordsOf(*end)});
  }
  BucketKeys keys{.bearer_token = std::string(Trim(end->out)), .source = command};
  RegisterSecret(keys.bearer_token);
  if (!IsToken(keys.bearer_token)) return Fail("what gcloud printed is not an access token");
  keys.renew_at = now + kHoldsFor;
  return keys;
}

}  // namespace

Result<BucketKeys> TokenOfGcloud(bool application_first, WallTime now, const ToolAccess& tool) {
  const std::vector<std::string> user = {"gcloud", "auth", "print-access-token"};
  const std::vector<std::string> application = {"gcloud", "auth", "application-default",
                                                "print-access-token"};
  Result<BucketKeys> keys = Ask(application_first ? application : user, now, tool);
  if (keys || keys.error().said.empty()) return keys;
  Result<BucketKeys> others = Ask(application_first ? user : application, now, tool);
  return others ? others : keys;
}

}  // namespace cloudflaredump::bucket
