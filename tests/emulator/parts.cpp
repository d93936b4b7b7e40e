// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/parts.h"

#include <algorithm>
#include <random>

#include "tests/emulator/text.h"

namespace cloudflare_emulator {
namespace {

constexpr std::size_t kFileHeader = 24;

struct Part {
  PcapForm form;
  std::vector<Record> records{};
};

/// Which part the next packet went to. Plain arithmetic: <random>'s distributions differ between
/// libraries.
class Dice {
 public:
  Dice(std::uint64_t seed, const PartOptions& options)
      : random_(seed), count_(options.count), skewed_(options.skewed) {}

  std::size_t Next() {
    if (!skewed_) return random_() % count_;
    // Half of the packets meet the first machine, a quarter the second, and so on.
    const auto halves = static_cast<std::size_t>(std::countl_zero(random_()));
    return std::min(halves, count_ - 1);
  }

 private:
  std::mt19937_64 random_;
  std::size_t count_;
  bool skewed_;
};

std::vector<Part> EmptyParts(const PcapForm& form, const PartOptions& options) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < options.count; ++i) {
    Part part{.form = form};
    if (!options.link_types.empty()) {
      part.form.link_type = options.link_types[i % options.link_types.size()];
    }
    if (!options.magics.empty()) {
      const PartMagic& magic = options.magics[i % options.magics.size()];
      part.form.nanoseconds = magic.nanoseconds;
      part.form.big_endian = magic.big_endian;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

void Deal(const Record& record, std::size_t first_choice, std::vector<Part>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Part& part = parts[(first_choice + i) % parts.size()];
    auto converted = ConvertLinkType(record, part.form.link_type);
    if (!converted) continue;
    part.records.push_back(*std::move(converted));
    return;
  }
}

void CutLastRecord(std::string& bytes, const std::vector<Record>& records) {
  if (!records.empty()) bytes.resize(bytes.size() - (records.back().bytes.size() + 1) / 2);
}

/// Puts a captured length that no file can have into the record in the middle.
void GarbleMiddle(std::string& bytes, const std::vector<Record>& records) {
  constexpr std::size_t kRecordHeader = 16;
  constexpr std::size_t kCapturedLength = 8;
  if (records.empty()) return;
  std::size_t at = kFileHeader;
  for (std::size_t i = 0; i < records.size() / 2; ++i) {
    at += kRecordHeader + records[i].bytes.size();
  }
  bytes.replace(at + kCapturedLength, 4, 4, '\xee');
}

std::string Replace(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

std::string ObjectName(const PartOptions& options, const std::string& id, std::size_t machine) {
  return Replace(Replace(options.name, "{id}", id), "{machine}", Text("m%04zu", machine));
}

}  // namespace

std::vector<PartObject> MakeParts(const std::string& capture_id, const std::vector<Record>& records,
                                  const PcapForm& form, const PartOptions& options,
                                  std::uint64_t seed) {
  std::vector<Part> parts = EmptyParts(form, options);
  Dice dice(seed, options);
  for (const Record& record : records) Deal(record, dice.Next(), parts);

  std::vector<PartObject> objects;
  const auto add = [&](std::string bytes) {
    objects.push_back(
        {.name = ObjectName(options, capture_id, objects.size() + 1), .bytes = std::move(bytes)});
  };
  for (const Part& part : parts) add(WritePcap(part.form, part.records));
  if (options.damaged) CutLastRecord(objects.front().bytes, parts.front().records);
  if (options.garbled) GarbleMiddle(objects.back().bytes, parts.back().records);
  for (std::size_t i = 0; i < std::min(options.late, parts.size()); ++i) {
    objects[parts.size() - 1 - i].late = true;
  }
  if (options.empty) add(WritePcap(form, {}));
  if (options.zero) add("");
  if (options.not_pcap) add("This machine had nothing to say in pcap.\n");
  return objects;
}

}  // namespace cloudflare_emulator
