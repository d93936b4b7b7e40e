// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/clock.h"

#include <glib.h>

namespace cloudflare_emulator {

Moment Now() {
  return {.wall = std::chrono::system_clock::now(),
          .monotonic = std::chrono::microseconds(g_get_monotonic_time())};
}

}  // namespace cloudflare_emulator
