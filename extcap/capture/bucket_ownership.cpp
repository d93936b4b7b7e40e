// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_ownership.h"

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/destination_conf.h"

namespace cloudflaredump::capture {
namespace {

std::string Remedy(const std::string& destination) {
  return "; run: cloudflaredump register-bucket " + ShellQuote(CleanLine(destination, 300));
}

}  // namespace

std::optional<std::string> OwnershipTrouble(const api::BucketOwnership& ownership) {
  if (ownership.IsValidated()) return std::nullopt;
  const std::string destination = bucket::WithoutKeys(ownership.destination_conf);
  const std::string name = "the bucket " + CleanLine(destination, 300);
  return name +
         (ownership.status == "pending"
              ? " is registered but not validated yet"
              : " is registered with the status \"" + CleanLine(ownership.status, 40) + "\"") +
         Remedy(destination);
}

std::optional<std::string> OwnershipTrouble(const std::vector<api::BucketOwnership>& registered,
                                            const std::string& destination_conf) {
  const std::string destination = bucket::WithoutKeys(destination_conf);
  std::optional<std::string> trouble = "the bucket " + CleanLine(destination, 300) +
                                       " is not registered in this account" + Remedy(destination);
  for (const api::BucketOwnership& ownership : registered) {
    if (bucket::WithoutKeys(ownership.destination_conf) != destination) continue;
    trouble = OwnershipTrouble(ownership);
    // One that was registered again after a failure counts.
    if (!trouble) break;
  }
  return trouble;
}

std::optional<std::string> SpelledOtherwise(const std::vector<api::BucketOwnership>& registered,
                                            const std::string& destination_conf) {
  const std::string wanted = RedactAddress(destination_conf);
  for (const api::BucketOwnership& ownership : registered) {
    const std::string spelled = RedactAddress(ownership.destination_conf);
    if (spelled == wanted) return std::nullopt;
    if (bucket::WithoutKeys(spelled) == bucket::WithoutKeys(wanted)) {
      return "the bucket is registered as " + CleanLine(spelled, 300) +
             "; write destination-conf like that";
    }
  }
  return std::nullopt;
}

}  // namespace cloudflaredump::capture
