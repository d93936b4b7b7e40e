// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/significance.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace cloudflaredump::compare {
namespace {

constexpr double kTail = 0.025;

/// The continued fraction of the incomplete beta function (Lentz; DLMF 8.17.22).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double result = d;
  for (int m = 1; m < 5000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    c = 1 + even / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    result *= d * c;
    if (std::abs(d * c - 1) < 1e-13) break;
  }
  return result;
}

/// The regularized incomplete beta function I_x(a, b).
double Beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

/// The x at which I_x(a, b) is `share`, by bisection.
double BetaQuantile(double a, double b, double share) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200 && high - low > 1e-12; ++i) {
    const double middle = (low + high) / 2;
    (Beta(a, b, middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

double LogChoose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// n times the entropy of `hits` of n.
double Surprise(double n, double hits) {
  const auto part = [n](double k) { return k <= 0 ? 0 : -k * std::log(k / n); };
  return n <= 0 ? 0 : part(hits) + part(n - hits);
}

}  // namespace

Interval BinomialInterval(std::uint64_t hits, std::uint64_t tries) {
  if (tries == 0) return {};
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(tries);
  return {.low = hits == 0 ? 0 : BetaQuantile(k, n - k + 1, kTail),
          .high = hits == tries ? 1 : BetaQuantile(k + 1, n - k, 1 - kTail)};
}

Interval FlowInterval(std::span<const FlowLoss> flows) {
  std::uint64_t packets = 0;
  std::uint64_t missing = 0;
  for (const FlowLoss& flow : flows) {
    packets += flow.packets;
    missing += flow.missing;
  }
  const Interval exact = BinomialInterval(missing, packets);
  if (missing == 0 || missing == packets || flows.size() < 2) return exact;
  // A fixed seed: one pair of files gives one answer.
  std::mt19937_64 random(20'260'101);
  constexpr std::size_t kMostDraws = 8'000'000;
  const std::size_t draws = std::clamp<std::size_t>(kMostDraws / flows.size(), 100, 2000);
  std::vector<double> shares;
  shares.reserve(draws);
  for (std::size_t i = 0; i < draws; ++i) {
    std::uint64_t drawn = 0;
    std::uint64_t hits = 0;
    for (std::size_t j = 0; j < flows.size(); ++j) {
      // Multiplies instead of dividing (Lemire): a bias of 2^-32 does not matter here.
      const std::uint64_t pick = (random() >> 32) * flows.size() >> 32;
      drawn += flows[pick].packets;
      hits += flows[pick].missing;
    }
    shares.push_back(static_cast<double>(hits) / static_cast<double>(drawn));
  }
  std::ranges::sort(shares);
  const auto at = [&](double part) {
    return shares[static_cast<std::size_t>(part * static_cast<double>(draws - 1))];
  };
  return {.low = std::min(exact.low, at(kTail)), .high = std::max(exact.high, at(1 - kTail))};
}

double ChanceOfAsMany(std::uint64_t all, std::uint64_t missing, std::uint64_t drawn,
                      std::uint64_t hits) {
  const auto n = static_cast<double>(all);
  const auto m = static_cast<double>(missing);
  const auto d = static_cast<double>(drawn);
  const std::uint64_t most = std::min(missing, drawn);
  if (hits > most) return 0;
  const double mean = d * m / n;
  if (static_cast<double>(hits) <= mean) return 1;
  // Terms fall from here on, ever faster.
  double log = LogChoose(m, static_cast<double>(hits)) +
               LogChoose(n - m, d - static_cast<double>(hits)) - LogChoose(n, d);
  double term = std::exp(log);
  double sum = 0;
  for (std::uint64_t at = hits; at <= most; ++at) {
    sum += term;
    const auto k = static_cast<double>(at);
    const double next = (m - k) * (d - k) / ((k + 1) * (n - m - d + k + 1));
    term *= next;
    if (term < sum * 1e-12) break;
  }
  return std::min(sum, 1.0);
}

double PoissonTail(double mean, std::uint64_t count) {
  const auto k = static_cast<double>(count);
  if (k <= mean) return 1;
  double term = std::exp(k * std::log(mean) - mean - std::lgamma(k + 1));
  double sum = 0;
  for (std::uint64_t i = count; i < count + 10000; ++i) {
    sum += term;
    term *= mean / (static_cast<double>(i) + 1);
    if (term <= sum * 1e-12) break;
  }
  return std::min(sum, 1.0);
}

double LogGain(double all, double missing, double drawn, double hits) {
  return Surprise(all, missing) - Surprise(drawn, hits) - Surprise(all - drawn, missing - hits);
}

}  // namespace cloudflaredump::compare
