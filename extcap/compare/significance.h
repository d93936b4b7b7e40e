// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

namespace cloudflaredump::compare {

/// A share and the interval that holds the true one with 95%, each from 0 to 1.
struct Interval {
  double low = 0, high = 1;
};

/// Clopper and Pearson's exact binomial interval for `hits` of `tries`; [0, 1] for no tries.
Interval BinomialInterval(std::uint64_t hits, std::uint64_t tries);

/// What one flow contributes to a loss.
struct FlowLoss {
  std::uint32_t packets = 0, missing = 0;
};

/// The interval for full captures, whose packets are neighbors: whole flows are drawn again. Never
/// narrower than the binomial one.
Interval FlowInterval(std::span<const FlowLoss> flows);

/// The chance that of `drawn` packets at least `hits` are among the `missing` of `all`, if all are
/// alike (Fisher's exact test, one-sided).
double ChanceOfAsMany(std::uint64_t all, std::uint64_t missing, std::uint64_t drawn,
                      std::uint64_t hits);

/// The chance of at least `count` events where `mean` are expected (Poisson).
double PoissonTail(double mean, std::uint64_t count);

/// How much better two shares explain `hits` of `drawn` and the rest of `missing` of `all` than one
/// share does, as a natural logarithm.
double LogGain(double all, double missing, double drawn, double hits);

}  // namespace cloudflaredump::compare
