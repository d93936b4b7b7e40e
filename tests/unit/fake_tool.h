// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "extcap/bucket/vendor_tool.h"

namespace cloudflaredump {

/// The tools of stores' vendors, played: records how they were called, and answers in order, the
/// last answer again and again. Without any answer no tool is installed.
struct FakeTool {
  std::vector<system::Program> calls = {};
  std::deque<Result<system::ProgramEnd>> answers = {};

  /// Good as long as this object.
  bucket::ToolAccess Access() {
    bucket::ToolAccess access;
    access.run = [this](const system::Program& program,
                        const std::function<bool()>&) -> Result<system::ProgramEnd> {
      calls.push_back(program);
      if (answers.empty()) return system::ProgramEnd{.found = false};
      const Result<system::ProgramEnd> answer = answers.front();
      if (answers.size() > 1) answers.pop_front();
      return answer;
    };
    return access;
  }

  void Prints(const std::string& out) { answers.push_back(system::ProgramEnd{.out = out}); }
  void Fails(int status, const std::string& err) {
    answers.push_back(system::ProgramEnd{.status = status, .err = err});
  }

  /// The words of call `number`: "aws configure …".
  std::string Words(std::size_t number = 0) const {
    std::string words;
    for (const std::string& word : calls.at(number).argv) {
      words += (words.empty() ? "" : " ") + word;
    }
    return words;
  }
};

/// What `aws configure export-credentials` prints; `end` is RFC 3339, empty for none.
inline std::string ProcessKeys(const std::string& id, const std::string& secret,
                               const std::string& token = "", const std::string& end = "") {
  std::string text =
      R"({"Version": 1, "AccessKeyId": ")" + id + R"(", "SecretAccessKey": ")" + secret + '"';
  if (!token.empty()) text += R"(, "SessionToken": ")" + token + '"';
  if (!end.empty()) text += R"(, "Expiration": ")" + end + '"';
  return text + "}\n";
}

}  // namespace cloudflaredump
