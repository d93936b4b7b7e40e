// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/ownership.h"

#include <algorithm>
#include <chrono>

#include "tests/emulator/capture_store.h"

namespace cloudflare_emulator {
namespace {

/// The text member `name` of a request's body, or what is wrong with it.
std::expected<std::string, ApiError> TextMember(const Json& body, const char* name) {
  if (!json_is_object(body.get())) {
    return std::unexpected(ApiError{kCodeBadBody, "the body must be a JSON object"});
  }
  const auto text = TextOf(json_object_get(body.get(), name));
  if (text) return *text;
  return std::unexpected(ApiError{kCodeBadField, Text("%s must be a string", name)});
}

std::string Trimmed(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t");
  return text.substr(0, end + 1);
}

Answer BadRequest(int code, const std::string& message) {
  return Failure(400, {{code, message}});
}

bool IsReady(const std::future<Outcome<void>>& future) {
  return future.valid() && future.wait_for(Span::zero()) == std::future_status::ready;
}

}  // namespace

Ownership::~Ownership() {
  cancelled_ = true;
}

OwnedBucket* Ownership::FindName(const std::string& destination_conf) {
  const std::string name = WithoutKeys(destination_conf);
  const auto found = std::ranges::find_if(buckets_, [&](const OwnedBucket& bucket) {
    return WithoutKeys(bucket.destination_conf) == name;
  });
  return found == buckets_.end() ? nullptr : &*found;
}

const OwnedBucket* Ownership::Find(const std::string& destination_conf) {
  Settle();
  return FindName(destination_conf);
}

/// Takes notice of challenges that could not be written.
void Ownership::Settle() {
  for (OwnedBucket& bucket : buckets_) {
    if (IsReady(bucket.writing) && !bucket.writing.get()) bucket.status = "failed";
  }
}

Outcome<void> Ownership::AddValidated(const std::string& destination_conf, Time now) {
  const auto destination = ParseDestination(destination_conf);
  if (!destination) {
    return std::unexpected("--registered " + WithoutKeys(destination_conf) + " " +
                           destination.error() + ".");
  }
  const std::string id = NewId();
  buckets_.push_back({.id = id,
                      .destination_conf = destination_conf,
                      .filename = "ownership-challenge-" + id + ".txt",
                      .status = "success",
                      .submitted = now,
                      .validated = now});
  return {};
}

Json Ownership::Describe(const OwnedBucket& bucket) const {
  const std::string conf =
      show_keys_ ? bucket.destination_conf : WithoutKeys(bucket.destination_conf);
  Json json(json_object());
  Set(json.get(), "id", JsonText(bucket.id));
  Set(json.get(), "status", JsonText(bucket.status));
  Set(json.get(), "submitted", JsonText(FormatRfc3339(bucket.submitted)));
  // Empty, not missing, while pending: the documentation's example has it so.
  Set(json.get(), "validated", JsonText(bucket.validated ? FormatRfc3339(*bucket.validated) : ""));
  Set(json.get(), "destination_conf", JsonText(conf));
  Set(json.get(), "filename", JsonText(bucket.filename));
  return json;
}

Answer Ownership::List() {
  Settle();
  // "array or null": an account without buckets shows the second.
  if (buckets_.empty()) return Success(Json(json_null()));
  Json list(json_array());
  for (const OwnedBucket& bucket : buckets_) {
    json_array_append_new(list.get(), Describe(bucket).release());
  }
  return Success(std::move(list));
}

void Ownership::WriteChallenge(OwnedBucket& bucket, const Destination& destination) {
  bucket.status = "pending";
  bucket.writing = std::async(std::launch::async, [this, destination, name = bucket.filename,
                                                   content = bucket.challenge + "\n"] {
    return WriteObject(destination, name, content, cancelled_);
  });
}

/// Adding a bucket again writes its challenge again, unless it was validated.
Answer Ownership::Add(const std::string& body, Time now) {
  const auto conf = TextMember(ParseJson(body), "destination_conf");
  if (!conf) return Failure(400, {conf.error()});
  const auto destination = ParseDestination(*conf);
  if (!destination) return BadRequest(kCodeBadField, "destination_conf " + destination.error());
  if (destination->scheme == "r2" && !destination->HasKeys()) {
    return BadRequest(kCodeBadField,
                      "destination_conf of R2 needs access-key-id and secret-access-key");
  }
  Settle();
  OwnedBucket* bucket = FindName(*conf);
  if (!bucket) {
    const std::string id = NewId();
    bucket = &buckets_.emplace_back();
    bucket->id = id;
    bucket->filename = "ownership-challenge-" + id + ".txt";
    bucket->challenge = NewId() + NewId();
    bucket->submitted = now;
  }
  if (bucket->validated) return Success(Describe(*bucket));
  bucket->destination_conf = *conf;
  WriteChallenge(*bucket, *destination);
  return Success(Describe(*bucket));
}

Answer Ownership::Validate(const std::string& body, Time now) {
  const Json parsed = ParseJson(body);
  const auto conf = TextMember(parsed, "destination_conf");
  if (!conf) return Failure(400, {conf.error()});
  const auto challenge = TextMember(parsed, "ownership_challenge");
  if (!challenge) return Failure(400, {challenge.error()});
  if (WithoutKeys(*conf) != *conf) {
    return BadRequest(kCodeBadField,
                      "destination_conf must leave out access-key-id and secret-access-key here");
  }
  Settle();
  OwnedBucket* bucket = FindName(*conf);
  if (!bucket) return BadRequest(kCodeUnknownBucket, "destination_conf was never added");
  if (bucket->validated) return Success(Describe(*bucket));
  if (Trimmed(*challenge) != bucket->challenge) {
    return BadRequest(kCodeNotValidated,
                      "ownership_challenge is not the content of the file in the bucket");
  }
  bucket->status = "success";
  bucket->validated = now;
  return Success(Describe(*bucket));
}

Answer Ownership::Delete(const std::string& id) {
  const auto found = std::ranges::find(buckets_, id, &OwnedBucket::id);
  if (found == buckets_.end()) return Failure(404, {{kCodeNotFound, "No bucket has this id"}});
  buckets_.erase(found);
  return NoContent();
}

}  // namespace cloudflare_emulator
