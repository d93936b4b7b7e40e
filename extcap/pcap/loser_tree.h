// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace cloudflaredump::pcap {

/// Finds the least of k keys again after the least has changed, with one comparison per level:
/// Knuth's tree of losers (TAOCP 3, 5.4.1). Equal keys: the lower number first.
class LoserTree {
 public:
  using Key = std::uint64_t;
  /// The key of a contestant that is out; greater than every other.
  static constexpr Key kOut = std::numeric_limits<Key>::max();

  /// One contestant for each key, at least one; its place in `keys` is its number.
  explicit LoserTree(const std::vector<Key>& keys) : nodes_(keys.size()) {
    winner_ = Play(1, keys);
  }

  std::size_t winner() const { return winner_.number; }
  Key least() const { return winner_.key; }

  /// Who wins if the winner drops out: the winner's own number if all others are out.
  std::size_t runner_up() const {
    Contestant best{.key = kOut, .number = winner_.number};
    for (std::size_t node = (nodes_.size() + winner_.number) / 2; node > 0; node /= 2) {
      if (nodes_[node] < best) best = nodes_[node];
    }
    return best.key == kOut ? winner_.number : best.number;
  }

  /// Gives the winner a new key and finds the new winner.
  void ReplaceLeast(Key key) {
    Contestant climber{.key = key, .number = winner_.number};
    for (std::size_t node = (nodes_.size() + climber.number) / 2; node > 0; node /= 2) {
      Contestant& loser = nodes_[node];
      // Without a branch, which would be guessed wrong half of the time.
      const bool swap = loser < climber;
      const Contestant less = swap ? loser : climber;
      loser = swap ? climber : loser;
      climber = less;
    }
    winner_ = climber;
  }

 private:
  struct Contestant {
    Key key = kOut;
    std::size_t number = 0;

    bool operator<(const Contestant& other) const {
      return (key < other.key) | ((key == other.key) & (number < other.number));
    }
  };

  /// Plays the matches of the subtree at `node`; the leaf of number i is node k + i.
  Contestant Play(std::size_t node, const std::vector<Key>& keys) {
    const std::size_t count = nodes_.size();
    if (node >= count) return {.key = keys[node - count], .number = node - count};
    const Contestant left = Play(2 * node, keys);
    const Contestant right = Play(2 * node + 1, keys);
    const bool left_wins = left < right;
    nodes_[node] = left_wins ? right : left;
    return left_wins ? left : right;
  }

  std::vector<Contestant> nodes_;  ///< The loser of each match; [0] is unused.
  Contestant winner_;
};

}  // namespace cloudflaredump::pcap
