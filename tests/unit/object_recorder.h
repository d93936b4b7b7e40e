// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "extcap/bucket/bucket.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {

/// Keeps all that an ObjectReceiver is told, and checks the order.
class ObjectRecorder : public bucket::ObjectReceiver {
 public:
  Result<void> OnObjectBytes(std::span<const std::byte> bytes) override {
    assert_false(end.has_value());
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return on_bytes ? on_bytes() : Result<void>();
  }

  void OnObjectEnd(bucket::ObjectEnd told) override {
    assert_false(end.has_value());
    end = std::move(told);
  }

  /// The error that the read ended with.
  const Error& error() const {
    assert_true(end.has_value());
    if (end->result) fail_msg("the read ended well, with \"%s\"", text.c_str());
    return end->result.error();
  }

  std::string text;
  std::optional<bucket::ObjectEnd> end;
  std::function<Result<void>()> on_bytes;
};

}  // namespace cloudflaredump
