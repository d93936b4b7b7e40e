// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/emulator/json.h"

namespace cloudflare_emulator {

inline constexpr const char* kJsonType = "application/json";

/// What one request is answered with.
struct Answer {
  int status = 200;
  std::string content_type = kJsonType;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  bool close = false;     ///< The connection is closed without any answer.
  bool download = false;  ///< A file, subject to the download rate.
};

/// One entry of the envelope's `errors`.
struct ApiError {
  int code = 0;
  std::string message;
};

/// The envelope {success, errors, messages, result} around a good result.
Answer Success(Json result);
/// 204, as stop and delete answer.
Answer NoContent();
/// The envelope of a failure: result null.
Answer Failure(int status, const std::vector<ApiError>& errors);

/// Error codes seen in public reports of Cloudflare's API.
enum PublishedCode {
  kCodeThrottled = 971,
  kCodeInvalidHeaders = 6003,
  kCodeInvalidAuthorization = 6111,
  kCodeNoRoute = 7000,
  kCodeCouldNotRoute = 7003,
  kCodeWrongAccount = 7403,
  kCodeNoCredentials = 9106,
  kCodeWrongKey = 9109,
  kCodeAuthentication = 10000,
  kCodeWrongMethod = 10405,
};

/// Cloudflare publishes no code for what is wrong with a capture request; these are ours.
enum EmulatorCode {
  kCodeBadBody = 20001,
  kCodeBadField = 20002,
  kCodeNotFound = 20004,
  kCodeBusy = 20005,
  kCodeNotReady = 20006,
  kCodeNotAllowed = 20007,
  kCodeUnknownBucket = 20008,
  kCodeNotValidated = 20009,
};

}  // namespace cloudflare_emulator
