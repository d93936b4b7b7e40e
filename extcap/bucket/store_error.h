// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/time.h"
#include "extcap/bucket/destination_conf.h"
#include "extcap/http/http.h"

namespace cloudflaredump::bucket {

/// What a sentence about a store needs to know.
struct StoreContext {
  StoreKind kind = StoreKind::kS3;
  std::string bucket = {};
  std::string directory = {};
  std::string region = {};        ///< That requests were signed for.
  std::string jurisdiction = {};  ///< R2 only; empty for none.
  std::string key_source = {};    ///< Where the keys came from.
  std::string server = {};        ///< Host and port, if not the store's own.
  bool bearer = false;            ///< A Google token, not a pair of keys.
};

/// "Amazon S3", or "the server minio.example:9000" in its place: as messages name it.
std::string NameOf(const StoreContext& store);

/// What was asked of the store.
enum class StoreAction : std::uint8_t { kList, kRead };

/// An answer of status 300 or above. `said` has the store's own reason where its code does not tell
/// all, with the id of the request, cleaned and without secrets; the remedy is only what fits that
/// reason. `key` is the object's, empty for a listing. Codes: Amazon S3 API Reference, "Error
/// responses"; Google's and R2's where they differ. Transient by the status, except for what no
/// waiting helps.
Error StoreError(const StoreContext& store, StoreAction action, const std::string& key,
                 const http::HttpHead& head, std::string_view body, WallTime now);

}  // namespace cloudflaredump::bucket
