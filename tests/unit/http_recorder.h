// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "extcap/http/http.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {

/// Keeps all that an HttpReceiver is told, and checks the order in which it is told.
class HttpRecorder : public http::HttpReceiver {
 public:
  void OnHead(const http::HttpHead& told) override {
    assert_false(head.has_value());
    assert_false(end.has_value());
    head = told;
    if (on_head) on_head();
  }

  Result<void> OnBody(std::span<const std::byte> bytes) override {
    assert_true(head.has_value());
    assert_false(end.has_value());
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ++pieces;
    return on_body ? on_body() : Result<void>();
  }

  void OnEnd(Result<http::HttpEnd> told) override {
    assert_false(end.has_value());
    end = std::move(told);
    if (on_end) on_end();
  }

  /// The error that the transfer ended with.
  const Error& error() const {
    assert_true(end.has_value());
    if (*end) fail_msg("the transfer ended well, with \"%s\"", body.c_str());
    return end->error();
  }

  std::optional<http::HttpHead> head;
  std::string body;
  int pieces = 0;
  std::optional<Result<http::HttpEnd>> end;
  std::function<void()> on_head;
  std::function<Result<void>()> on_body;
  std::function<void()> on_end;
};

}  // namespace cloudflaredump
