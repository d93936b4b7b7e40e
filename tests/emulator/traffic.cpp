// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/traffic.h"

#include <algorithm>
#include <iterator>

#include "tests/emulator/generator.h"

namespace cloudflare_emulator {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

class Generated : public Traffic {
 public:
  explicit Generated(std::uint64_t seed) : seed_(seed) {}

  std::vector<Record> Between(Time first, Time last) const override {
    std::vector<Record> found;
    const std::int64_t end = floor<seconds>(last).time_since_epoch().count();
    for (std::int64_t s = floor<seconds>(first).time_since_epoch().count(); s <= end; ++s) {
      for (Record& record : GenerateSecond(seed_, s)) {
        if (record.time >= first && record.time <= last) found.push_back(std::move(record));
      }
    }
    return found;
  }

  // What Magic Transit carries is IP; nothing is published about the headers before it.
  PcapForm form() const override { return {.link_type = kRaw}; }

 private:
  std::uint64_t seed_;
};

class Recorded : public Traffic {
 public:
  Recorded(std::vector<Record> records, const PcapForm& form)
      : records_(std::move(records)), form_(form) {}

  std::vector<Record> Between(Time first, Time last) const override {
    const auto begin = std::ranges::lower_bound(records_, first, {}, &Record::time);
    const auto end = std::ranges::upper_bound(records_, last, {}, &Record::time);
    return begin < end ? std::vector<Record>(begin, end) : std::vector<Record>();
  }

  PcapForm form() const override { return form_; }

 private:
  std::vector<Record> records_;
  PcapForm form_;
};

void MoveLastTo(Time last, std::vector<Record>& records) {
  if (records.empty()) return;
  const Span by = floor<std::chrono::microseconds>(last - records.back().time);
  for (Record& record : records) record.time += by;
}

}  // namespace

std::unique_ptr<Traffic> GeneratedTraffic(std::uint64_t seed) {
  return std::make_unique<Generated>(seed);
}

Outcome<std::unique_ptr<Traffic>> RecordedTraffic(const std::vector<std::string>& paths,
                                                  std::optional<Time> rebase_to) {
  std::vector<Record> records;
  PcapForm form;
  for (const std::string& path : paths) {
    auto content = ReadPcapFile(path);
    if (!content) return std::unexpected(content.error());
    if (path == paths.front()) form.link_type = content->link_type;
    form.nanoseconds = form.nanoseconds || content->nanoseconds;
    std::ranges::move(content->records, std::back_inserter(records));
  }
  std::ranges::stable_sort(records, {}, &Record::time);
  if (rebase_to) MoveLastTo(*rebase_to, records);
  return std::make_unique<Recorded>(std::move(records), form);
}

}  // namespace cloudflare_emulator
