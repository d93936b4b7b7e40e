// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "extcap/http/http.h"

namespace cloudflaredump::bucket {

/// The MD5 of bytes that come one after the other.
class ObjectDigest {
 public:
  ObjectDigest() : sum_(g_checksum_new(G_CHECKSUM_MD5)) {}

  void Add(std::span<const std::byte> bytes);
  /// Of all bytes so far, in lower-case hex. Begins anew.
  std::string Take();

 private:
  struct Free {
    void operator()(GChecksum* sum) const { g_checksum_free(sum); }
  };
  std::unique_ptr<GChecksum, Free> sum_;
};

/// `etag` without quotes and weakness, to compare what a listing and an answer say.
std::string_view BareEtag(std::string_view etag);

/// Whether `etag` has the form of an MD5. Those of multipart uploads have another.
bool LooksLikeMd5(std::string_view etag);

/// The MD5 of the whole object that the head of its answer tells, in lower-case hex; empty if it
/// tells none. An ETag is one unless the object is encrypted with a key of the customer's or of a
/// key service (Amazon S3, "Checking object integrity"; Cloud Storage, "Hashes and ETags").
std::string ToldMd5(const http::HttpHead& head);

}  // namespace cloudflaredump::bucket
