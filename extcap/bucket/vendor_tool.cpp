// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/vendor_tool.h"

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

bool StartsWithOneOf(std::string_view name, std::initializer_list<std::string_view> starts) {
  return std::ranges::any_of(starts, [&](std::string_view one) { return name.starts_with(one); });
}

/// Whether the tool of `kind` must not get the variable. Its own vendor's are not hidden from it.
bool IsHidden(StoreKind kind, const std::string& name, const std::string& value) {
  if (StartsWithOneOf(name, {"CLOUDFLARE", "R2_", "GCS_"})) return true;
  if (kind != StoreKind::kGcs && name == "GOOGLE_OAUTH_ACCESS_TOKEN") return true;
  const bool aws = StartsWithOneOf(name, {"AWS_"});
  if (kind != StoreKind::kS3 && aws) {
    return StartsWithOneOf(name, {"AWS_ACCESS_", "AWS_SECRET_", "AWS_SESSION_", "AWS_SECURITY_"});
  }
  // A secret of ours under a name that we do not know. A proxy's password is for every program.
  return !aws && !name.ends_with("_proxy") && !name.ends_with("_PROXY") && Redact(value) != value;
}

}  // namespace

system::Program VendorTool(StoreKind kind, std::vector<std::string> argv) {
  return {.argv = std::move(argv),
          .hides = [kind](const std::string& name, const std::string& value) {
            return IsHidden(kind, name, value);
          }};
}

std::string WordsOf(const system::ProgramEnd& end) {
  std::string_view words = Trim(end.err);
  if (words.find("Traceback (most recent call last)") != std::string_view::npos) {
    words = Trim(words.substr(words.rfind('\n') + 1));
  }
  std::string line;
  for (const std::string_view piece : Split(words, '\n')) {
    if (Trim(piece).empty()) continue;
    line.append(line.empty() ? "" : " ").append(Trim(piece));
  }
  return CleanLine(line, 400);
}

}  // namespace cloudflaredump::bucket
