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

bool DuplicateFilter::Take(std::size_t request, std::uint64_t nanoseconds,
                           std::uint32_t original_length, std::span<const std::byte> bytes) {
  std::string key;
  key.reserve(sizeof nanoseconds + sizeof original_length + bytes.size());
  Append(key, nanoseconds);
  Append(key, original_length);
  key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Counts& counts = records_[std::move(key)];
  // As many were delivered as the request that had most of them had.
  const std::uint32_t delivered = *std::ranges::max_element(counts);
  return ++counts[request] > delivered;
}

}  // namespace cloudflaredump::filter
