// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extcap/filter/capture_filter.h"
#include "extcap/filter/plan.h"
#include "tests/property/built_packet.h"

namespace cloudflaredump {

/// What was found over many filters.
struct FilterTotals {
  std::uint64_t filters = 0;
  std::uint64_t refused = 0;
  std::uint64_t pairs = 0;  ///< Of a filter and a packet.
  std::uint64_t accepted = 0;
  std::uint64_t exact = 0;
  std::uint64_t undecided = 0;
  std::uint64_t definite_though_cut = 0;
  std::uint64_t compared[3] = {};  ///< For N = 1 and 2.
  std::uint64_t best[3] = {};
  std::uint64_t violations = 0;
  bool print_loose = false;  ///< Print each plan that is not the best.
};

/// One filter against many packets: what libpcap accepts, some request holds; plan and residual
/// deliver exactly that, once. A violation is printed with what repeats it.
class FilterCase {
 public:
  /// `filter` is of kind kIp. `repeat` is the command that makes this case again.
  FilterCase(std::uint64_t seed, std::string repeat, filter::CaptureFilter filter,
             FilterTotals& totals);

  /// Checks `count` packets, half of them accepted ones with one thing changed, which shows what
  /// the filter does not force.
  void Search(unsigned count);

  /// Compares the cost of the plans for N = 1 and 2 with the best for the accepted packets. Few
  /// packets show regularities that are none, so it takes many, and more where a plan seems worse.
  void CompareWithBest();

 private:
  void Violation(const char* what, const BuiltPacket& packet);
  void JoinAllPaths();
  bool Check(const BuiltPacket& packet);
  void CheckDelivery(const BuiltPacket& packet, bool accepted);
  void CheckCut(const BuiltPacket& packet, std::span<const std::byte> framed,
                const filter::Residual& residual, bool accepted);
  std::vector<filter::Box> AcceptedBoxes() const;

  Random random_;
  std::string repeat_;
  filter::CaptureFilter filter_;
  FilterTotals& totals_;
  filter::PlanOptions options_;
  filter::Plan plan_;
  std::vector<filter::Box> joined_;  ///< Of the joining pass, which plans fall back on.
  Vocabulary words_;
  std::vector<PacketPlan> accepted_;
};

void Print(const FilterTotals& totals);

}  // namespace cloudflaredump
