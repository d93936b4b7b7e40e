// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/answer.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// The body of a ruled answer that names no file.
enum class RuleBody { kJson, kHtml, kEmpty };

/// One `--answer` or `--answer-after`: `METHOD PATH=STATUS[xCOUNT][:FILE]`.
struct AnswerRule {
  std::string method;   ///< "*" for any.
  std::string pattern;  ///< A shell pattern for the end of the path; * crosses slashes.
  int status = 0;       ///< 0: the connection is closed unanswered.
  std::optional<std::uint64_t> left{};  ///< How often it still applies; none: for ever.
  std::string file{};                   ///< Empty: a body is made up.
  bool carry_out = false;               ///< The request takes effect; only its answer is replaced.
};

/// Reads a rule; `carry_out` comes from the option's name. The error is a sentence.
Outcome<AnswerRule> ParseAnswerRule(const std::string& text, bool carry_out);

/// The answers that the tester has ordered, first given first served.
class AnswerRules {
 public:
  AnswerRules(std::vector<AnswerRule> rules, std::vector<std::string> headers, RuleBody body)
      : rules_(std::move(rules)), headers_(std::move(headers)), body_(body) {}

  /// The rule for this request, counted as used; null if there is none.
  const AnswerRule* Find(const std::string& method, const std::string& path);
  /// The answer that `rule` orders. The headers are lines such as "Retry-After: 2".
  Answer Make(const AnswerRule& rule) const;

 private:
  std::vector<AnswerRule> rules_;
  std::vector<std::string> headers_;
  RuleBody body_;
};

}  // namespace cloudflare_emulator
