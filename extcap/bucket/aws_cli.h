// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "extcap/bucket/aws_profile.h"
#include "extcap/bucket/key_source.h"
#include "extcap/bucket/vendor_tool.h"

namespace cloudflaredump::bucket {

/// Reads what `aws configure export-credentials --format process` prints, the same as what a
/// credential_process prints: Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration.
/// The secrets are not yet registered. An Error shows nothing of `text`.
Result<BucketKeys> ParseProcessKeys(const std::string& text);

/// Keys that do not stand in AWS's files (single sign-on, roles, programs, instance roles), from
/// AWS's own tool. `way` is how the profile gets them, null if it does not say. Error: there is no
/// such tool, it is too old, or it failed: then with its words, and the command that helps.
Result<BucketKeys> KeysOfAwsTool(const AwsSettings& settings, const char* way,
                                 const ToolAccess& tool);

}  // namespace cloudflaredump::bucket
