// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/answer.h"
#include "tests/emulator/bucket.h"
#include "tests/emulator/request.h"

namespace cloudflare_emulator {

/// A bucket that was added for full captures.
struct OwnedBucket {
  std::string id{};
  std::string destination_conf{};  ///< As it was added, R2's keys included.
  std::string filename{};          ///< Of the challenge, below the destination's directory.
  std::string challenge{};         ///< What that file holds.
  std::string status = "pending";  ///< pending, success or failed
  Time submitted{};
  std::optional<Time> validated{};
  std::future<Outcome<void>> writing{};  ///< The challenge on its way into the bucket.
};

/// The buckets of the account and their proof of ownership. Their names are compared without R2's
/// keys, which belong "only in the initial registration request".
class Ownership {
 public:
  /// `show_keys`: answers repeat R2's keys; whether Cloudflare's do is not published.
  explicit Ownership(bool show_keys) : show_keys_(show_keys) {}
  ~Ownership();
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  /// Adds a bucket that needs no challenge any more.
  Outcome<void> AddValidated(const std::string& destination_conf, Time now);
  /// Null if it was never added.
  const OwnedBucket* Find(const std::string& destination_conf);

  // The API's four requests.
  Answer List();
  Answer Add(const std::string& body, Time now);
  Answer Validate(const std::string& body, Time now);
  Answer Delete(const std::string& id);

 private:
  OwnedBucket* FindName(const std::string& destination_conf);
  void WriteChallenge(OwnedBucket& bucket, const Destination& destination);
  void Settle();
  Json Describe(const OwnedBucket& bucket) const;

  bool show_keys_;
  std::atomic<bool> cancelled_ = false;
  std::deque<OwnedBucket> buckets_;
};

}  // namespace cloudflare_emulator
