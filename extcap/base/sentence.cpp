// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/base/sentence.h"

#include <cstdio>

#include "extcap/base/text.h"

namespace cloudflaredump {

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

}  // namespace cloudflaredump
