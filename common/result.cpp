// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/result.h"

namespace cloudflaredump {

std::string ClauseOf(const Error& error) {
  return error.said.empty() ? error.what : error.what + ": " + error.said;
}

std::string SentenceOf(const Error& error) {
  std::string sentence = ClauseOf(error);
  // Words that were heard may end in a period of their own.
  while (sentence.ends_with('.')) sentence.pop_back();
  if (!error.remedy.empty()) sentence += "; " + error.remedy;
  return sentence + ".";
}

}  // namespace cloudflaredump
