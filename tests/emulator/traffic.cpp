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

  std::unique_ptr<Traffic> Live(Time, Span) const override {
    return std::make_unique<Generated>(seed_);
  }

  // What Magic Transit carries is IP; nothing is published about the headers before it.
  PcapForm form() const override { return {.link_type = kRaw}; }

 private:
  std::uint64_t seed_;
};

/// How times of a recording become times of the emulation.
struct TimeMap {
  Time from{};
  Time to{};
  double stretch = 1;

  Time operator()(Time time) const {
    const Span since = time - from;
    if (stretch == 1) return to + since;  // No rounding: digits stay as recorded.
    return to + Span(static_cast<std::int64_t>(static_cast<double>(since.count()) * stretch));
  }
};

using SharedRecords = std::shared_ptr<const std::vector<Record>>;

class Recorded : public Traffic {
 public:
  Recorded(SharedRecords records, const PcapForm& form, const TimeMap& map)
      : records_(std::move(records)), form_(form), map_(map) {}

  std::vector<Record> Between(Time first, Time last) const override {
    const auto time = [this](const Record& record) { return map_(record.time); };
    std::vector<Record> found;
    for (auto it = std::ranges::lower_bound(*records_, first, {}, time);
         it != records_->end() && time(*it) <= last; ++it) {
      found.push_back(*it);
      found.back().time = time(*it);
    }
    return found;
  }

  std::unique_ptr<Traffic> Live(Time start, Span length) const override {
    TimeMap map{.to = start};
    if (!records_->empty()) {
      map.from = records_->front().time;
      const Span lasts = records_->back().time - map.from;
      if (lasts > length) {
        map.stretch = static_cast<double>(length.count()) / static_cast<double>(lasts.count());
      }
    }
    return std::make_unique<Recorded>(records_, form_, map);
  }

  PcapForm form() const override { return form_; }

 private:
  SharedRecords records_;
  PcapForm form_;
  TimeMap map_;
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
  return std::make_unique<Recorded>(std::make_shared<std::vector<Record>>(std::move(records)), form,
                                    TimeMap{});
}

}  // namespace cloudflare_emulator
