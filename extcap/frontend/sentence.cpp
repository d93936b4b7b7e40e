// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/sentence.h"

#include <cstdio>

#include "common/text.h"

namespace cloudflaredump::frontend {

Sentence& Sentence::With(std::string_view key, std::string_view value) {
  constexpr std::size_t kLongestValue = 1000;
  line_ += '{';
  line_ += key;
  line_ += '=';
  line_ += CleanLine(value, kLongestValue);
  line_ += '}';
  return *this;
}

void Sentence::Print() const {
  std::puts(line_.c_str());
}

int FailExtcapCall(const Error& error) {
  constexpr std::size_t kLongestLine = 700;
  std::fprintf(stderr, "%s\n", CleanLine(SentenceOf(error), kLongestLine).c_str());
  return 1;
}

}  // namespace cloudflaredump::frontend
