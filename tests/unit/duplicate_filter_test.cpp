// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/duplicate_filter.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

const std::vector<std::byte> kBytes = {std::byte{0x45}, std::byte{0}, std::byte{7}};

void ALaterRequestDoesNotRepeatAPacket(void**) {
  DuplicateFilter filter;
  assert_true(filter.Take(0, 5, 60, kBytes));
  assert_false(filter.Take(1, 5, 60, kBytes));
  assert_false(filter.Take(3, 5, 60, kBytes));
}

void ARequestMayRepeatItself(void**) {
  DuplicateFilter filter;
  assert_true(filter.Take(0, 5, 60, kBytes));
  assert_true(filter.Take(0, 5, 60, kBytes));
  // The second request had it three times, two of which were delivered.
  assert_false(filter.Take(1, 5, 60, kBytes));
  assert_false(filter.Take(1, 5, 60, kBytes));
  assert_true(filter.Take(1, 5, 60, kBytes));
}

void NothingIsHeldBackThatNobodyDelivered(void**) {
  DuplicateFilter filter;
  assert_true(filter.Take(1, 5, 60, kBytes));
  assert_false(filter.Take(0, 5, 60, kBytes));
  assert_true(filter.Take(0, 6, 60, kBytes));
}

void TimeLengthsAndBytesMakeTheRecord(void**) {
  DuplicateFilter filter;
  std::vector<std::byte> other = kBytes;
  other[2] = std::byte{8};
  assert_true(filter.Take(0, 5, 60, kBytes));
  assert_true(filter.Take(1, 6, 60, kBytes));
  assert_true(filter.Take(1, 5, 61, kBytes));
  assert_true(filter.Take(1, 5, 60, other));
  assert_true(filter.Take(1, 5, 60, std::span(kBytes).first(2)));
  assert_true(filter.Take(1, 5, 60, {}));
}

WallTime At(int nanoseconds) {
  return WallTime(std::chrono::nanoseconds(nanoseconds));
}

void WindowsThatOverlapDeliverOnce(void**) {
  DuplicateFilter filter;
  assert_true(filter.Take(0, 40, 60, kBytes));
  assert_true(filter.Take(0, 60, 60, kBytes));
  assert_true(filter.Take(0, 60, 60, kBytes));
  filter.BeginWindow(At(50));
  assert_false(filter.Take(0, 60, 60, kBytes));
  assert_false(filter.Take(0, 60, 60, kBytes));
  assert_true(filter.Take(0, 60, 60, kBytes));  // one more than the window before had
  assert_true(filter.Take(0, 55, 60, kBytes));  // came late
  assert_true(filter.Take(0, 40, 60, kBytes));  // before what is asked for
}

/// Windows that are shorter than what they share: the third sees again what the first delivered.
void WhatWasDeliveredIsKnownOverSeveralWindows(void**) {
  DuplicateFilter filter;
  assert_true(filter.Take(0, 60, 60, kBytes));
  for (int from = 50; from <= 60; from += 5) {
    filter.BeginWindow(At(from));
    assert_false(filter.Take(0, 60, 60, kBytes));
    assert_false(filter.Take(1, 60, 60, kBytes));
  }
  filter.BeginWindow(At(61));
  assert_true(filter.Take(0, 60, 60, kBytes));
}

void EarlierPacketsCanBeSkipped(void**) {
  DuplicateFilter filter;
  filter.BeginWindow(At(50), DuplicateFilter::Earlier::kSkip);
  assert_false(filter.Take(0, 49, 60, kBytes));
  assert_true(filter.Take(0, 50, 60, kBytes));
  filter.BeginWindow(At(50));
  assert_true(filter.Take(0, 49, 60, kBytes));
}

/// A server that sends more than anybody asked for does not fill the memory.
void WhatCannotBeComparedIsDelivered(void**) {
  DuplicateFilter filter;
  const std::vector<std::byte> packet(1 << 16);
  std::uint64_t time = 100;
  while (!filter.overflowed()) assert_true(filter.Take(0, time++, 60, packet));
  assert_true(time < DuplicateFilter::kMemory / packet.size() + 101);
  assert_true(filter.Take(1, time - 1, 60, packet));  // was not kept
  assert_false(filter.Take(1, 100, 60, packet));      // was
  filter.BeginWindow(At(static_cast<int>(time)));
  assert_true(filter.Take(0, time, 60, packet));
  assert_false(filter.Take(1, time, 60, packet));
}

/// However windows overlap and whatever each misses, a record is delivered as often as the window
/// with most had it.
void EachRecordOfAWindowIsDeliveredOnceWhateverOthersMissed(void**) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    DuplicateFilter filter;
    std::map<int, unsigned> most;
    std::map<int, unsigned> delivered;
    for (int start = 0; start < 60; start += 3) {
      filter.BeginWindow(At(start));
      std::map<int, unsigned> had;
      for (int i = 0; i < 30; ++i) {
        const int time = start + static_cast<int>(random() % 12);
        most[time] = std::max(most[time], ++had[time]);
        if (filter.Take(0, static_cast<std::uint64_t>(time), 60, kBytes)) ++delivered[time];
      }
    }
    assert_true(most == delivered);
  }
}

void EachRecordIsDeliveredAsOftenAsTheRequestWithMostHadIt(void**) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    DuplicateFilter filter;
    std::map<unsigned, std::array<unsigned, DuplicateFilter::kMostRequests>> had;
    std::map<unsigned, unsigned> delivered;
    for (int i = 0; i < 100; ++i) {
      const unsigned record = random() % 10;
      const std::size_t request = random() % DuplicateFilter::kMostRequests;
      ++had[record][request];
      if (filter.Take(request, record, 60, kBytes)) ++delivered[record];
    }
    for (const auto& [record, counts] : had) {
      assert_int_equal(delivered[record], *std::ranges::max_element(counts));
    }
  }
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALaterRequestDoesNotRepeatAPacket),
      cmocka_unit_test(ARequestMayRepeatItself),
      cmocka_unit_test(NothingIsHeldBackThatNobodyDelivered),
      cmocka_unit_test(TimeLengthsAndBytesMakeTheRecord),
      cmocka_unit_test(WindowsThatOverlapDeliverOnce),
      cmocka_unit_test(WhatWasDeliveredIsKnownOverSeveralWindows),
      cmocka_unit_test(EarlierPacketsCanBeSkipped),
      cmocka_unit_test(WhatCannotBeComparedIsDelivered),
      cmocka_unit_test(EachRecordOfAWindowIsDeliveredOnceWhateverOthersMissed),
      cmocka_unit_test(EachRecordIsDeliveredAsOftenAsTheRequestWithMostHadIt),
  };
  return cmocka_run_group_tests_name("duplicate_filter", tests, nullptr, nullptr);
}
