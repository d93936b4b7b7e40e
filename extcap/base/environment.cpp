// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/base/environment.h"

#include <cstdlib>

namespace cloudflaredump {

const char* ProcessEnvironment(const char* name) {
  return std::getenv(name);
}

}  // namespace cloudflaredump
