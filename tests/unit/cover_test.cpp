// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/cover.h"

#include <algorithm>
#include <random>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

std::string Written(const std::vector<Box>& boxes) {
  std::string text;
  for (const Box& box : boxes) text += "[" + BoxAsFilter(box) + "]";
  return text;
}

Box WithPort(std::uint16_t port, std::optional<std::uint8_t> protocol = std::nullopt) {
  return {.source_address = {},
          .destination_address = {},
          .source_port = {},
          .destination_port = port,
          .protocol = protocol};
}

Box WithProtocol(std::uint8_t protocol) {
  Box box;
  box.protocol = protocol;
  return box;
}

template <class T>
std::optional<T> Maybe(std::mt19937& random, T value) {
  return random() % 3 == 0 ? std::nullopt : std::optional<T>(value);
}

Box RandomBox(std::mt19937& random) {
  return {.source_address = Maybe(random, Ipv4Address(0x0a000000 + random() % 2)),
          .destination_address = Maybe(random, Ipv4Address(0xc0000200 + random() % 3)),
          .source_port = Maybe(random, static_cast<std::uint16_t>(random() % 2)),
          .destination_port = Maybe(random, static_cast<std::uint16_t>(80 + random() % 3)),
          .protocol = Maybe(random, static_cast<std::uint8_t>(random() % 2 == 0 ? 1 : 2))};
}

std::vector<Box> RandomBoxes(std::mt19937& random, std::size_t count) {
  std::vector<Box> boxes;
  while (boxes.size() < count) boxes.push_back(RandomBox(random));
  return boxes;
}

void AssertCovers(const std::vector<Box>& cover, const std::vector<Box>& boxes) {
  for (const Box& box : boxes) {
    assert_true(std::ranges::any_of(cover, [&](const Box& one) { return IsInside(box, one); }));
  }
}

/// The least cost of all ways to give each box one of `most` numbers.
Cost BestByCounting(const std::vector<Box>& boxes, std::size_t most) {
  std::optional<Cost> best;
  std::vector<std::size_t> group(boxes.size(), 0);
  for (;;) {
    std::vector<Box> joint;
    for (std::size_t g = 0; g < most; ++g) {
      std::optional<Box> joined;
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (group[i] == g) joined = joined ? Join(*joined, boxes[i]) : boxes[i];
      }
      if (joined) joint.push_back(*joined);
    }
    const Cost cost = CostOf(joint);
    if (!best || cost < *best) best = cost;
    std::size_t at = 0;
    while (at < group.size() && ++group[at] == most) group[at++] = 0;
    if (at == group.size()) return *best;
  }
}

void CostsCompareAsTheirSums(void**) {
  const auto sum = [](const std::vector<Box>& boxes) {
    unsigned __int128 all = 0;  // in units of 2^-104, the smallest of RandomBox
    for (const Box& box : boxes)
      all += static_cast<unsigned __int128>(1) << (104 - PinnedBits(box));
    return all;
  };
  std::mt19937 random(4);
  for (int round = 0; round < 3000; ++round) {
    const auto a = RandomBoxes(random, random() % 5);
    const auto b = RandomBoxes(random, random() % 5);
    assert_int_equal(CostOf(a) < CostOf(b), sum(a) < sum(b));
    assert_int_equal(CostOf(a) == CostOf(b), sum(a) == sum(b));
  }
}

void TheSmallestBoxStillCosts(void**) {
  Box smallest = WithPort(80, 6);
  smallest.source_address = IpAddress{.version = 6};
  smallest.destination_address = IpAddress{.version = 6};
  smallest.source_port = 1;
  const Cost large = CostOf(std::vector{Box{}});
  const Cost larger = CostOf(std::vector{Box{}, smallest});
  assert_true(larger > large);
}

void BoxesInsideOthersAreDropped(void**) {
  AssertText(Written(Simplify({WithPort(80, 6), WithProtocol(6), WithPort(80, 6)})), "[tcp]");
  AssertText(Written(Simplify({WithPort(80, 6), Box{}})), "[]");
}

void APortOfAllThreeProtocolsNeedsNone(void**) {
  AssertText(Written(Simplify({WithPort(53, 6), WithPort(53, 17), WithPort(53, 132)})),
             "[dst port 53]");
  AssertText(Written(Simplify({WithPort(53, 6), WithPort(53, 17)})),
             "[tcp dst port 53][udp dst port 53]");
  AssertText(
      Written(Simplify({WithPort(53, 6), WithPort(53, 17), WithPort(53, 132), WithProtocol(6)})),
      "[udp dst port 53][sctp dst port 53][tcp]");
}

void OneBoxIsTheTightestForAll(void**) {
  Box a = WithPort(80, 6);
  Box b = WithPort(81, 6);
  a.source_address = b.source_address = Ipv4Address(0x0a000001);
  AssertText(Written(Cover({a, b}, 1)), "[src host 10.0.0.1 and tcp]");
  AssertText(Written(Cover({a, b}, 2)),
             "[src host 10.0.0.1 and tcp dst port 80][src host 10.0.0.1 and tcp dst port 81]");
}

void UpToTenBoxesAreCoveredAtTheLeastCost(void**) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    const std::vector<Box> boxes = RandomBoxes(random, 1 + random() % 6);
    const std::vector<Box> simple = Simplify(boxes);
    for (std::size_t most = 1; most <= 4; ++most) {
      const std::vector<Box> cover = Cover(boxes, most);
      assert_true(!cover.empty() && cover.size() <= most);
      AssertCovers(cover, boxes);
      assert_true(CostOf(cover) <= BestByCounting(simple, most));
    }
  }
}

void ManyBoxesAreStillCovered(void**) {
  std::mt19937 random(6);
  for (const std::size_t count : {11, 40, 200, 1000}) {
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < count; ++i) {
      boxes.push_back(WithPort(static_cast<std::uint16_t>(random()), random() % 2 == 0 ? 6 : 17));
      boxes.back().destination_address = Ipv4Address(static_cast<std::uint32_t>(random()));
    }
    AssertCovers(Cover(boxes, 1), boxes);
    AssertText(Written(Cover(boxes, 2)), "[tcp][udp]");
    AssertCovers(Cover(boxes, 4), boxes);
  }
}

void MergingKeepsWhatIsFarApartApart(void**) {
  // Twelve ports of one host, and another host: not one box for all.
  std::vector<Box> boxes;
  for (std::uint16_t port = 1; port <= 12; ++port) {
    boxes.push_back(WithPort(port, 6));
    boxes.back().destination_address = Ipv4Address(0xc0000201);
  }
  boxes.push_back(WithPort(53, 17));
  boxes.back().destination_address = Ipv4Address(0xc0000202);
  AssertText(Written(Cover(boxes, 2)),
             "[dst host 192.0.2.2 and udp dst port 53][dst host 192.0.2.1 and tcp]");
}

void TheOrderOfTheBoxesDoesNotMatter(void**) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    std::vector<Box> boxes = RandomBoxes(random, 2 + random() % 30);
    const std::string first = Written(Cover(boxes, 3));
    std::ranges::shuffle(boxes, random);
    AssertText(Written(Cover(boxes, 3)), first);
  }
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CostsCompareAsTheirSums),
      cmocka_unit_test(TheSmallestBoxStillCosts),
      cmocka_unit_test(BoxesInsideOthersAreDropped),
      cmocka_unit_test(APortOfAllThreeProtocolsNeedsNone),
      cmocka_unit_test(OneBoxIsTheTightestForAll),
      cmocka_unit_test(UpToTenBoxesAreCoveredAtTheLeastCost),
      cmocka_unit_test(ManyBoxesAreStillCovered),
      cmocka_unit_test(MergingKeepsWhatIsFarApartApart),
      cmocka_unit_test(TheOrderOfTheBoxesDoesNotMatter),
  };
  return cmocka_run_group_tests_name("cover", tests, nullptr, nullptr);
}
