// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// A value in a GraphQL document (specification of October 2021, 2.9).
struct GraphqlValue {
  enum class Kind { kInt, kFloat, kString, kBoolean, kNull, kEnum, kVariable, kList, kObject };

  std::string name{};  ///< As an argument, or as a member of an object.
  Kind kind = Kind::kNull;
  std::string text{};  ///< As written, a string unescaped, a variable without $.
  std::vector<GraphqlValue> list{};
  std::vector<GraphqlValue> members{};
};

struct GraphqlField {
  std::string alias;  ///< The name if it has none.
  std::string name;
  std::vector<GraphqlValue> arguments;
  std::vector<GraphqlField> selection;
};

/// One query. No fragments, directives, mutations or block strings: Cloudflare's pages show none.
struct GraphqlQuery {
  std::vector<std::pair<std::string, std::string>> variables;  ///< Name and type, as in "string!".
  std::vector<GraphqlField> selection;
};

/// The error says what was met where.
Outcome<GraphqlQuery> ParseGraphql(std::string_view text);

}  // namespace cloudflare_emulator
