// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/cover.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

namespace cloudflaredump::filter {
namespace {

constexpr std::size_t kOptimal = 10;

/// Pairs are compared up to this many boxes; beyond, a field is given up for all of them.
constexpr std::size_t kMostPairwise = 256;

void Sort(std::vector<Box>& boxes) {
  std::ranges::sort(boxes, ComesBefore);
  boxes.erase(std::ranges::unique(boxes).begin(), boxes.end());
}

void DropInside(std::vector<Box>& boxes) {
  std::vector<Box> kept;
  for (const Box& box : boxes) {
    const bool inside = std::ranges::any_of(
        boxes, [&](const Box& other) { return other != box && IsInside(box, other); });
    if (!inside) kept.push_back(box);
  }
  boxes = std::move(kept);
}

Box WithProtocol(Box box, std::optional<std::uint8_t> protocol) {
  box.protocol = protocol;
  return box;
}

void JoinPortProtocols(std::vector<Box>& boxes) {
  const std::set<Box> all(boxes.begin(), boxes.end());
  for (Box& box : boxes) {
    const bool every = std::ranges::all_of(kPortProtocols, [&](std::uint8_t protocol) {
      return all.contains(WithProtocol(box, protocol));
    });
    const bool one_of_them =
        box.protocol && std::ranges::find(kPortProtocols, *box.protocol) != kPortProtocols.end();
    if (PinsPort(box) && one_of_them && every) box.protocol.reset();
  }
}

/// Gives up the field that has the most values: merging would have to give it up anyway.
void GiveUpWidestField(std::vector<Box>& boxes) {
  std::vector<std::size_t> different;
  ForEachField([&](auto field) {
    std::set<std::remove_cvref_t<decltype(boxes.front().*field)>> values;
    for (const Box& box : boxes) values.insert(box.*field);
    different.push_back(values.size());
  });
  const auto widest = std::ranges::max_element(different) - different.begin();
  std::ptrdiff_t at = 0;
  ForEachField([&](auto field) {
    if (at++ != widest) return;
    for (Box& box : boxes) (box.*field).reset();
  });
}

/// Orders pairs by the cost that joining them adds: the union's, less their own.
using AddedCost = std::array<int, 3>;

AddedCost AddedCostOf(const Box& a, const Box& b) {
  const auto [less, more] = std::minmax({PinnedBits(a), PinnedBits(b)});
  return {-PinnedBits(Join(a, b)), less, more};
}

/// Joins the two boxes whose union adds the least cost, again and again. Each box remembers its
/// cheapest partner among those after it, so a step compares one box with all, not all with all.
class PairwiseMerge {
 public:
  explicit PairwiseMerge(std::vector<Box> boxes) : boxes_(std::move(boxes)) {
    alive_.assign(boxes_.size(), true);
    left_ = boxes_.size();
    for (std::size_t i = 0; i < boxes_.size(); ++i) partners_.push_back(FindPartner(i));
  }

  std::vector<Box> Until(std::size_t wanted) {
    while (left_ > wanted) MergeOnce();
    std::vector<Box> kept;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (alive_[i]) kept.push_back(boxes_[i]);
    }
    Sort(kept);
    return kept;
  }

 private:
  struct Partner {
    std::size_t index = 0;
    AddedCost added = {};
  };

  std::optional<Partner> FindPartner(std::size_t of) const {
    std::optional<Partner> best;
    for (std::size_t i = of + 1; i < boxes_.size(); ++i) {
      if (!alive_[i]) continue;
      const AddedCost added = AddedCostOf(boxes_[of], boxes_[i]);
      if (!best || added < best->added) best = Partner{i, added};
    }
    return best;
  }

  void MergeOnce() {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (!alive_[i] || !partners_[i]) continue;
      if (!first || partners_[i]->added < partners_[*first]->added) first = i;
    }
    const Box joined = Join(boxes_[*first], boxes_[partners_[*first]->index]);
    boxes_[*first] = joined;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (i == *first || !alive_[i] || !IsInside(boxes_[i], joined)) continue;
      alive_[i] = false;
      --left_;
    }
    Repair(*first);
  }

  void Repair(std::size_t changed) {
    partners_[changed] = FindPartner(changed);
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (i == changed || !alive_[i] || !partners_[i]) continue;
      const std::size_t partner = partners_[i]->index;
      if (partner == changed || !alive_[partner]) {
        partners_[i] = FindPartner(i);
      } else if (i < changed) {
        const AddedCost added = AddedCostOf(boxes_[i], boxes_[changed]);
        if (added < partners_[i]->added) partners_[i] = Partner{changed, added};
      }
    }
  }

  std::vector<Box> boxes_;
  std::vector<bool> alive_;
  std::vector<std::optional<Partner>> partners_;
  std::size_t left_ = 0;
};

/// The cheapest way to sort boxes into groups, each of which becomes the box that holds it.
class Partition {
 public:
  Partition(const std::vector<Box>& boxes, std::size_t most) : boxes_(boxes), most_(most) {}

  std::vector<Box> Best() {
    Place(0);
    return best_;
  }

 private:
  void Place(std::size_t index) {
    const Cost cost = CostOf(groups_);
    if (!best_.empty() && cost > best_cost_) return;  // Groups only grow.
    if (index == boxes_.size()) {
      Offer(cost);
      return;
    }
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Box before = groups_[i];
      groups_[i] = Join(before, boxes_[index]);
      Place(index + 1);
      groups_[i] = before;
    }
    if (groups_.size() == most_) return;
    groups_.push_back(boxes_[index]);
    Place(index + 1);
    groups_.pop_back();
  }

  void Offer(const Cost& cost) {
    std::vector<Box> offer = groups_;
    std::ranges::sort(offer, ComesBefore);
    const bool tie_won =
        cost == best_cost_ && std::ranges::lexicographical_compare(offer, best_, ComesBefore);
    if (!best_.empty() && cost >= best_cost_ && !tie_won) return;
    best_ = std::move(offer);
    best_cost_ = cost;
  }

  const std::vector<Box>& boxes_;
  std::size_t most_;
  std::vector<Box> groups_;
  std::vector<Box> best_;
  Cost best_cost_;
};

}  // namespace

Cost CostOf(std::span<const Box> boxes) {
  Cost cost;
  for (const Box& box : boxes) cost.push_back(-PinnedBits(box));
  std::ranges::sort(cost, std::greater());
  return cost;
}

std::vector<Box> Simplify(std::vector<Box> boxes) {
  Sort(boxes);
  while (boxes.size() > kMostPairwise) {
    GiveUpWidestField(boxes);
    Sort(boxes);
  }
  // First this: a port of TCP is inside TCP, a port of any protocol is not.
  DropInside(boxes);
  JoinPortProtocols(boxes);
  Sort(boxes);
  DropInside(boxes);
  return boxes;
}

std::vector<Box> Cover(std::vector<Box> boxes, std::size_t most) {
  boxes = Simplify(std::move(boxes));
  if (boxes.size() > kOptimal) boxes = PairwiseMerge(std::move(boxes)).Until(kOptimal);
  std::vector<Box> best = Partition(boxes, most).Best();
  DropInside(best);
  return best;
}

}  // namespace cloudflaredump::filter
