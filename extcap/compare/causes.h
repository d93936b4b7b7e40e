// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "extcap/compare/comparison.h"
#include "extcap/compare/losses.h"

namespace cloudflaredump::compare {

/// Something that some packets have in common, which are missing more often than the others.
struct Cause {
  Finding finding{};
  double gain = 0;  ///< see Gain
  int rank = 0;     ///< of its kind: lower ones are told first
  std::function<bool(std::uint32_t)> holds{};
};

/// What the missing packets have in common, that which explains most of them first; each is
/// significant at 1% after correction for how many things were looked at. Empty where losses are
/// random or too few.
std::vector<Finding> FindCauses(const Comparison& comparison);

/// Packets that Cloudflare saw in fragments.
std::optional<Cause> FragmentCause(const Losses& losses);
/// Packets larger than a limit, such as a tunnel's MTU.
std::optional<Cause> SizeCause(const Losses& losses);
/// Packets of one stretch of time.
std::optional<Cause> TimeCause(const Losses& losses);
/// Flows of which nothing arrives.
std::optional<Cause> FlowCause(const Losses& losses);

/// Packets with one value of a field: an address, a port, a data center…
class ValueCauses {
 public:
  /// The comparison must outlive this, and this the causes that it finds.
  explicit ValueCauses(const Comparison& comparison);

  /// The best value of each field.
  std::vector<Cause> Find(const Losses& losses) const;

 private:
  struct Field;
  /// Names by their numbers, each once.
  struct Names {
    std::uint32_t NumberOf(const std::string& name);  ///< kNone for an empty one

    std::vector<std::string> list{};
    std::unordered_map<std::string, std::uint32_t> numbers{};
  };

  std::vector<Field> Fields() const;
  std::optional<Cause> Best(const Losses& losses, const Field& field) const;

  const CloudSide& cloud_;
  Names prefixes_{}, colos_{}, files_{};
  std::vector<std::uint32_t> prefix_of_{};            ///< by address
  std::vector<std::uint32_t> colo_of_{}, file_of_{};  ///< by interface
};

}  // namespace cloudflaredump::compare
