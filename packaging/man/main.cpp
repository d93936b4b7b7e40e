// SPDX-License-Identifier: GPL-2.0-or-later
// Prints the man page: the template named on the command line, in which a line that is only
// @OPTIONS@, @SETTINGS@ or @VARIABLES@ is replaced by what the options table says, and @PROGRAM@ by
// name and version.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "common/version.h"
#include "packaging/man/option_sections.h"

int main(int argc, char** argv) {
  std::ifstream page(argc > 1 ? argv[1] : "");
  if (argc != 2 || !page) {
    std::fputs("usage: man-page TEMPLATE\n", stderr);
    return 2;
  }
  for (std::string line; std::getline(page, line);) {
    if (line == "@OPTIONS@") {
      std::cout << cloudflaredump::OptionSections();
    } else if (line == "@SETTINGS@") {
      std::cout << cloudflaredump::FileSettings();
    } else if (line == "@VARIABLES@") {
      std::cout << cloudflaredump::OptionVariables();
    } else {
      const std::size_t program = line.find("@PROGRAM@");
      if (program != std::string::npos) line.replace(program, 9, cloudflaredump::kApplication);
      std::cout << line << '\n';
    }
  }
  return std::cout.flush() ? 0 : 1;
}
