// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/answer_rules.h"

#include <fnmatch.h>
#include <microhttpd.h>

namespace cloudflare_emulator {
namespace {

std::string ContentTypeOf(const std::string& file) {
  static const std::pair<const char*, const char*> kTypes[] = {
      {".json", kJsonType},
      {".html", "text/html; charset=UTF-8"},
      {".xml", "application/xml"},
      {".txt", "text/plain"},
      {".pcap", "application/vnd.tcpdump.pcap"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (file.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string Reason(int status) {
  const char* phrase = MHD_get_reason_phrase_for(static_cast<unsigned>(status));
  return phrase ? phrase : "Unknown";
}

Answer HtmlPage(int status) {
  const std::string title = Text("%d %s", status, Reason(status).c_str());
  return {.status = status,
          .content_type = "text/html; charset=UTF-8",
          .body = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" +
                  title +
                  "</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"};
}

Answer JsonEnvelope(int status) {
  if (status < 400) {
    Answer answer = Success(Json(json_null()));
    answer.status = status;
    return answer;
  }
  const int code = status == 429 ? static_cast<int>(kCodeThrottled) : 10000 + status;
  const std::string message =
      status == 429 ? "Please wait and consider throttling your request speed" : Reason(status);
  return Failure(status, {{code, message}});
}

Answer MadeUp(int status, RuleBody body) {
  if (body == RuleBody::kEmpty || status == 204 || status == 304) {
    return {.status = status, .content_type = ""};
  }
  return body == RuleBody::kHtml ? HtmlPage(status) : JsonEnvelope(status);
}

Answer FromFile(const AnswerRule& rule) {
  auto content = ReadFile(rule.file);
  // Read anew for each answer, so that a test may change it meanwhile.
  if (!content) return Failure(500, {{kCodeNotFound, content.error()}});
  return {.status = rule.status,
          .content_type = ContentTypeOf(rule.file),
          .body = *std::move(content),
          .download = true};
}

}  // namespace

Outcome<AnswerRule> ParseAnswerRule(const std::string& text, bool carry_out) {
  constexpr char kShape[] = R"((\*|[A-Z]+) ([^= ]+)=(close|[1-5]\d\d)(?:x(\d{1,9}))?(?::(.+))?)";
  const auto match = MatchWhole(kShape, text);
  if (!match) {
    return std::unexpected("\"" + text +
                           "\" is not of the form 'METHOD PATH=STATUS[xCOUNT][:FILE]'.");
  }
  AnswerRule rule{.method = match->at(1), .pattern = "*" + match->at(2), .carry_out = carry_out};
  if (match->at(3) != "close") rule.status = std::stoi(match->at(3));
  if (!match->at(4).empty()) rule.left = std::stoull(match->at(4));
  rule.file = match->at(5);
  if (rule.status > 0 && rule.status < 200) {
    return std::unexpected("\"" + text + "\" asks for a status below 200, which ends no request.");
  }
  if (!rule.file.empty()) {
    const auto readable = ReadFile(rule.file);
    if (!readable) return std::unexpected(readable.error());
  }
  return rule;
}

const AnswerRule* AnswerRules::Find(const std::string& method, const std::string& path) {
  for (AnswerRule& rule : rules_) {
    if (rule.left == 0) continue;
    if (rule.method != "*" && rule.method != method) continue;
    if (fnmatch(rule.pattern.c_str(), path.c_str(), 0) != 0) continue;
    if (rule.left) --*rule.left;
    return &rule;
  }
  return nullptr;
}

Answer AnswerRules::Make(const AnswerRule& rule) const {
  if (rule.status == 0) return {.status = 0, .close = true};
  Answer answer = rule.file.empty() ? MadeUp(rule.status, body_) : FromFile(rule);
  for (const std::string& line : headers_) {
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    answer.headers.emplace_back(line.substr(0, colon),
                                value == std::string::npos ? "" : line.substr(value));
  }
  return answer;
}

}  // namespace cloudflare_emulator
