// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/emulator/rfc3339.h"

namespace cloudflare_emulator {

/// A moment on both clocks: the wall clock dates things, the monotonic one measures waits.
struct Moment {
  Time wall{};
  Span monotonic{};
};

Moment Now();

}  // namespace cloudflare_emulator
