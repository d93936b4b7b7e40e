// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/bucket/key_source.h"
#include "extcap/bucket/vendor_tool.h"

namespace cloudflaredump::bucket {

/// A Google access token from `gcloud auth print-access-token`, or from the application default
/// credentials; `application_first` says which are asked for first. It is renewed within the five
/// minutes for which gcloud lets a token hold at least. Error: there is no gcloud, or it has none:
/// then with its words.
Result<BucketKeys> TokenOfGcloud(bool application_first, WallTime now, const ToolAccess& tool);

}  // namespace cloudflaredump::bucket
