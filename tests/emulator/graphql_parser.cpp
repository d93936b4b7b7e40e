// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/graphql_parser.h"

#include <glib.h>

#include <cstring>

namespace cloudflare_emulator {
namespace {

using Kind = GraphqlValue::Kind;

/// Recursive descent. After the first problem everything else stands still.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Outcome<GraphqlQuery> Run() {
    GraphqlQuery query;
    if (!At('{')) {
      if (Name() != "query") Complain("\"query\"");
      if (IsNameStart(Peek())) Name();
      if (Take('(')) query.variables = Variables();
    }
    query.selection = Selection();
    if (good_ && Peek() != '\0') Complain("the end");
    if (!good_) return std::unexpected(problem_);
    return query;
  }

 private:
  static constexpr int kDeepest = 50;

  static bool IsNameStart(char c) { return g_ascii_isalpha(c) || c == '_'; }

  void SkipIgnored() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (g_ascii_isspace(text_[at_]) || text_[at_] == ',') {
        ++at_;
      } else {
        return;
      }
    }
  }

  /// The next character that counts; NUL at the end and after a problem.
  char Peek() {
    if (!good_) return '\0';
    SkipIgnored();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool At(char c) { return Peek() == c; }
  bool Take(char c) {
    if (!At(c)) return false;
    ++at_;
    return true;
  }
  void Want(char c) {
    if (!Take(c)) Complain(std::string(1, c));
  }
  void Complain(const std::string& wanted) {
    if (good_) problem_ = Text("expected %s at character %zu", wanted.c_str(), at_);
    good_ = false;
  }

  std::string Name() {
    if (!IsNameStart(Peek())) {
      Complain("a name");
      return "";
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && (IsNameStart(text_[at_]) || g_ascii_isdigit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  std::vector<std::pair<std::string, std::string>> Variables() {
    std::vector<std::pair<std::string, std::string>> variables;
    while (good_ && !Take(')')) {
      Want('$');
      const std::string name = Name();
      Want(':');
      std::string type = Name();
      if (Take('!')) type += '!';
      variables.emplace_back(name, type);
    }
    return variables;
  }

  std::vector<GraphqlField> Selection() {
    std::vector<GraphqlField> fields;
    if (++depth_ > kDeepest) Complain("less depth");
    Want('{');
    while (good_ && !Take('}')) fields.push_back(Field());
    if (good_ && fields.empty()) Complain("a field");
    --depth_;
    return fields;
  }

  GraphqlField Field() {
    GraphqlField field;
    field.alias = field.name = Name();
    if (Take(':')) field.name = Name();
    if (Take('(')) field.arguments = Members(')');
    if (At('{')) field.selection = Selection();
    return field;
  }

  std::vector<GraphqlValue> Members(char end) {
    std::vector<GraphqlValue> members;
    while (good_ && !Take(end)) {
      std::string name = Name();
      Want(':');
      members.push_back(Value());
      members.back().name = std::move(name);
    }
    return members;
  }

  GraphqlValue Value() {
    GraphqlValue value;
    if (++depth_ > kDeepest) Complain("less depth");
    const char next = Peek();
    if (Take('$')) {
      value = {.kind = Kind::kVariable, .text = Name()};
    } else if (Take('[')) {
      value.kind = Kind::kList;
      while (good_ && !Take(']')) value.list.push_back(Value());
    } else if (Take('{')) {
      value = {.kind = Kind::kObject, .members = Members('}')};
    } else if (Take('"')) {
      value = {.kind = Kind::kString, .text = String()};
    } else if (g_ascii_isdigit(next) || next == '-') {
      value = Number();
    } else {
      value = Word();
    }
    --depth_;
    return value;
  }

  std::string String() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      if (text_[at_] == '\\') {
        if (++at_ >= text_.size() || !std::strchr("\"\\/", text_[at_])) Complain("an escape");
        if (!good_) return "";
      }
      out += text_[at_++];
    }
    if (at_ >= text_.size() || text_[at_] != '"') Complain("the end of a string");
    ++at_;
    return out;
  }

  GraphqlValue Number() {
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           (g_ascii_isdigit(text_[at_]) || std::strchr("+-.eE", text_[at_]) != nullptr)) {
      ++at_;
    }
    const std::string_view written = text_.substr(start, at_ - start);
    const bool whole = written.find_first_of(".eE") == std::string_view::npos;
    return {.kind = whole ? Kind::kInt : Kind::kFloat, .text = std::string(written)};
  }

  GraphqlValue Word() {
    const std::string name = Name();
    if (name == "null") return {};
    const bool boolean = name == "true" || name == "false";
    return {.kind = boolean ? Kind::kBoolean : Kind::kEnum, .text = name};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool good_ = true;
  std::string problem_;
};

}  // namespace

Outcome<GraphqlQuery> ParseGraphql(std::string_view text) {
  return Parser(text).Run();
}

}  // namespace cloudflare_emulator
