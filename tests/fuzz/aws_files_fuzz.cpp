// SPDX-License-Identifier: GPL-2.0-or-later
//
// An arbitrary text as AWS's credentials file, as its configuration file, and as what AWS's own
// tool prints: profiles that are found have the keys of their sections, and mistakes show nothing.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "extcap/bucket/aws_cli.h"
#include "extcap/bucket/aws_profile.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckSections(const std::string& text) {
  for (const bucket::AwsSection& section : bucket::ParseAwsFile(text)) {
    Check(!section.header.contains('\n') && text.contains(section.header));
    for (const auto& [key, value] : section.values) {
      Check(!key.empty() && !key.contains('\n') && value.size() <= text.size());
      Check(bucket::NestedValue(value, "endpoint_url").size() <= value.size());
    }
    const bucket::AwsProfile profile = bucket::ParseAwsProfile(text, "", section.header);
    Check(profile.exists && profile.credentials == section.values);
    const std::string name = bucket::NameInHeader(section.header, "profile");
    if (!name.empty()) Check(bucket::ParseAwsProfile("", text, name).exists);
  }
}

void CheckProcessKeys(const std::string& text) {
  const Result<bucket::BucketKeys> keys = bucket::ParseProcessKeys(text);
  if (keys) {
    Check(keys->HasPair() && keys->renew_at.has_value() == keys->ends_at.has_value());
  } else {
    for (const char c : SentenceOf(keys.error())) Check(static_cast<unsigned char>(c) >= ' ');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckSections(text);
  CheckProcessKeys(text);
  return 0;
}
