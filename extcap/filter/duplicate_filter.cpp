// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/duplicate_filter.h"

#include <algorithm>

namespace cloudflaredump::filter {
namespace {

template <class Number>
void Append(std::string& key, Number number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

void DuplicateFilter::BeginWindow(WallTime from, Earlier earlier) {
  const auto start =
      static_cast<std::uint64_t>(std::max<std::int64_t>(from.time_since_epoch().count(), 0));
  std::erase_if(records_,
                [start](const auto& record) { return record.second.nanoseconds < start; });
  memory_ = 0;
  for (auto& [key, counts] : records_) {
    counts.seen = {};
    memory_ += SizeOf(key);
  }
  skip_before_ = earlier == Earlier::kSkip ? start : 0;
}

bool DuplicateFilter::Take(std::size_t request, std::uint64_t nanoseconds,
                           std::uint32_t original_length, std::span<const std::byte> bytes) {
  if (nanoseconds < skip_before_) return false;
  std::string key;
  key.reserve(sizeof nanoseconds + sizeof original_length + bytes.size());
  Append(key, nanoseconds);
  Append(key, original_length);
  key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto known = records_.find(key);
  if (known == records_.end()) {
    const std::size_t size = SizeOf(key);
    if (memory_ + size > kMemory) {
      overflowed_ = true;
      return true;
    }
    memory_ += size;
    known = records_.try_emplace(std::move(key), nanoseconds).first;
  }
  Counts& counts = known->second;
  if (++counts.seen[request] <= counts.delivered) return false;
  ++counts.delivered;
  return true;
}

}  // namespace cloudflaredump::filter
