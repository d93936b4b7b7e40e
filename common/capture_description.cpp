// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/capture_description.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <span>
#include <variant>

#include "common/description_sentence.h"
#include "common/readable_line.h"

namespace cloudflaredump {
namespace {

constexpr std::string_view kSeparator = " | cloudflaredump:";
constexpr std::string_view kMagic = kSeparator.substr(3);
constexpr std::string_view kVersion = "1";
constexpr std::size_t kLargestMachinePart = 4096;
constexpr std::size_t kLargestText = 65535;  // A pcapng option's length has 16 bits.
constexpr std::size_t kLongestKey = 40;
constexpr std::size_t kLongestDamage = 1000;

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t k32Bits = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kPort = 65535;
constexpr std::uint64_t kProtocol = 255;

using Text = std::optional<std::string>;
using Number = std::optional<std::uint64_t>;
using Flag = std::optional<bool>;

/// One key of the grammar and the member of T that holds its value.
template <class T>
struct Key {
  std::string_view name;
  std::variant<Text T::*, Number T::*, Flag T::*> member;
  std::uint64_t largest = kAny;
};

using Filter = CaptureDescription::FilterV1;
using D = CaptureDescription;

constexpr std::string_view kFilterPrefix = "filter_v1.";
constexpr Key<Filter> kFilterKeys[] = {
    {"source_address", &Filter::source_address},
    {"destination_address", &Filter::destination_address},
    {"source_port", &Filter::source_port, kPort},
    {"destination_port", &Filter::destination_port, kPort},
    {"protocol", &Filter::protocol, kProtocol},
};

/// In the order in which they are written; the last ones are left out first, after kLeftOutFirst.
constexpr Key<D> kKeys[] = {
    {"pcap_id", &D::pcap_id},
    {"type", &D::type},
    {"system", &D::system},
    {"status", &D::status},
    {"submitted", &D::submitted},
    {"time_limit", &D::time_limit, k32Bits},
    {"packet_limit", &D::packet_limit},
    {"byte_limit", &D::byte_limit},
    {"offset_time", &D::offset_time},
    {"colo", &D::colo},
    {"destination_conf", &D::destination_conf},
    {"stop_requested", &D::stop_requested},
    {"packets_captured", &D::packets_captured},
    {"error_message", &D::error_message},
    {"capture_filter", &D::capture_filter},
    {"request", &D::request, k32Bits},
    {"requests", &D::requests, k32Bits},
    {"part", &D::part, k32Bits},
    {"parts", &D::parts, k32Bits},
    {"object", &D::object},
    {"late", &D::late},
    {"coverage.first", &D::coverage_first},
    {"coverage.last", &D::coverage_last},
    {"limit_reached", &D::limit_reached},
    {"residual_mismatch", &D::residual_mismatch},
    {"end_uncertain", &D::end_uncertain},
};

constexpr Key<D> kLeftOutKey = {"left_out", &D::left_out};

constexpr std::string_view kLeftOutFirst[] = {"error_message", "object", "capture_filter",
                                              "destination_conf"};

/// What a packet comment holds, with every member optional as the grammar has it.
struct Mark {
  Flag undecided;
  Text damaged;
  Flag limit_reached;
  Text coverage_first;
  Text coverage_last;
};

constexpr Key<Mark> kMarkKeys[] = {
    {"undecided", &Mark::undecided},         {"damaged", &Mark::damaged},
    {"limit_reached", &Mark::limit_reached}, {"coverage.first", &Mark::coverage_first},
    {"coverage.last", &Mark::coverage_last},
};

constexpr Key<CompareMark> kCompareKeys[] = {
    {"compare.arrived", &CompareMark::arrived},
    {"compare.delay", &CompareMark::delay},
    {"compare.local_frame", &CompareMark::local_frame, k32Bits},
    {"compare.local_file", &CompareMark::local_file},
    {"compare.copies", &CompareMark::copies, k32Bits},
};

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:/@,+").find(c) != std::string_view::npos;
}

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

std::string Escape(std::string_view value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(c)) {
      escaped += c;
    } else {
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

/// The inverse of Escape; nothing for half escapes and for bytes outside the grammar.
Text Unescape(std::string_view escaped) {
  std::string value;
  while (!escaped.empty()) {
    if (IsPlain(escaped[0])) {
      value += escaped[0];
      escaped.remove_prefix(1);
      continue;
    }
    if (escaped[0] != '%' || escaped.size() < 3) return std::nullopt;
    unsigned byte = 0;
    const char* const end = escaped.data() + 3;
    if (std::from_chars(escaped.data() + 1, end, byte, 16).ptr != end) return std::nullopt;
    value += static_cast<char>(byte);
    escaped.remove_prefix(3);
  }
  return value;
}

Number ReadNumber(std::string_view digits, std::uint64_t largest) {
  std::uint64_t number = 0;
  const char* const end = std::to_address(digits.end());
  const auto [rest, error] = std::from_chars(std::to_address(digits.begin()), end, number);
  if (digits.empty() || error != std::errc() || rest != end || number > largest) {
    return std::nullopt;
  }
  return number;
}

Flag ReadFlag(std::string_view word) {
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

std::string Written(const std::string& value) {
  return Escape(value);
}
std::string Written(std::uint64_t value) {
  return std::to_string(value);
}
std::string Written(bool value) {
  return value ? "true" : "false";
}

/// Whether the grammar has room for a value; what a server says may be anything.
bool Fits(std::uint64_t value, std::uint64_t largest) {
  return value <= largest;
}
template <class V>
bool Fits(const V&, std::uint64_t) {
  return true;
}

/// ";key=value", or nothing for a value that is not set or out of range.
template <class T>
std::string WriteItem(std::string_view prefix, const Key<T>& key, const T& from) {
  return std::visit(
      [&](auto member) {
        const auto& value = from.*member;
        if (!value || !Fits(*value, key.largest)) return std::string();
        return std::string(";").append(prefix).append(key.name) + "=" + Written(*value);
      },
      key.member);
}

struct Item {
  std::string key;
  std::string text;  ///< As written, with its semicolon.
};

std::vector<Item> WriteItems(const D& description) {
  std::vector<Item> items;
  const auto add = [&items](std::string key, std::string text) {
    if (!text.empty()) items.push_back({std::move(key), std::move(text)});
  };
  for (const auto& key : kKeys) {
    if (key.name == "capture_filter") {
      for (const auto& part : kFilterKeys) {
        add(std::string(kFilterPrefix).append(part.name),
            WriteItem(kFilterPrefix, part, description.filter_v1));
      }
    }
    add(std::string(key.name), WriteItem("", key, description));
  }
  return items;
}

/// The item to do without next.
std::vector<Item>::iterator LeastImportant(std::vector<Item>& items) {
  for (const std::string_view name : kLeftOutFirst) {
    const auto found = std::ranges::find(items, name, &Item::key);
    if (found != items.end()) return found;
  }
  return items.end() - 1;
}

std::string MachineStart() {
  return std::string(kMagic).append(kVersion);
}

/// The machine part from items, less those that do not fit.
std::string JoinItems(std::vector<Item> items) {
  D noted;
  for (;;) {
    std::string machine = MachineStart();
    for (const Item& item : items) machine += item.text;
    machine += WriteItem("", kLeftOutKey, noted);
    if (machine.size() <= kLargestMachinePart || items.empty()) return machine;
    const auto least = LeastImportant(items);
    noted.left_out = noted.left_out ? *noted.left_out + "," + least->key : least->key;
    items.erase(least);
  }
}

std::string Line(const std::string& sentence, const std::string& machine) {
  return sentence + std::string(kSeparator.substr(0, 3)) + machine;
}

void ReadValue(std::string_view value, std::uint64_t, Text& into) {
  into = Unescape(value);
}
void ReadValue(std::string_view value, std::uint64_t largest, Number& into) {
  into = ReadNumber(value, largest);
}
void ReadValue(std::string_view value, std::uint64_t, Flag& into) {
  into = ReadFlag(value);
}

enum class ItemVerdict { kRead, kUnknown, kBad };

/// Reads `value` into the member of `into` that `name` stands for, unless it holds one already.
template <class T>
ItemVerdict ReadItem(std::span<const Key<T>> keys, std::string_view name, std::string_view value,
                     T& into) {
  const auto key = std::ranges::find(keys, name, &Key<T>::name);
  if (key == keys.end()) return ItemVerdict::kUnknown;
  return std::visit(
      [&](auto member) {
        auto read = into.*member;
        ReadValue(value, key->largest, read);
        if (!read) return ItemVerdict::kBad;
        if (!(into.*member)) into.*member = std::move(read);
        return ItemVerdict::kRead;
      },
      key->member);
}

/// Cuts `text` at its first `separator`; what follows stays in `text`.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return head;
}

bool IsVersion(std::string_view text) {
  return text.size() <= 5 && ReadNumber(text, kAny);
}

bool IsKey(std::string_view text) {
  return !text.empty() && text.size() <= kLongestKey && std::ranges::all_of(text, IsKeyCharacter);
}

/// What follows the last separator, magic not included; nothing if there is none.
std::optional<std::string_view> MachinePart(std::string_view text) {
  const std::size_t at = text.rfind(kSeparator);
  if (at != std::string_view::npos) return text.substr(at + kSeparator.size());
  return std::nullopt;
}

/// Cuts a machine part that is too long to its whole items. True if it was.
bool CutTooLong(std::string_view& machine) {
  constexpr std::size_t kRoom = kLargestMachinePart - kMagic.size();
  if (machine.size() <= kRoom) return false;
  const std::size_t last = machine.substr(0, kRoom + 1).rfind(';');
  machine = machine.substr(0, last == std::string_view::npos ? 0 : last);
  return true;
}

/// Walks a machine part; `read` takes each well-formed item's key and raw value.
template <class Read>
ParseVerdict ParseItems(std::string_view text, const Read& read) {
  auto machine = MachinePart(text);
  if (!machine) return ParseVerdict::kNotOurs;
  if (text.size() > kLargestText) return ParseVerdict::kMalformed;
  bool good = !CutTooLong(*machine);
  const bool has_items = machine->find(';') != std::string_view::npos;
  good = IsVersion(TakeUntil(*machine, ';')) && good;
  while (has_items && !machine->empty()) {
    std::string_view value = TakeUntil(*machine, ';');
    const bool has_value = value.find('=') != std::string_view::npos;
    const std::string_view key = TakeUntil(value, '=');
    if (!has_value || !IsKey(key)) {
      good = false;
      continue;
    }
    switch (read(key, value)) {
      case ItemVerdict::kRead:
        break;
      case ItemVerdict::kUnknown:
        good = good && Unescape(value).has_value();
        break;
      case ItemVerdict::kBad:
        good = false;
        break;
    }
  }
  return good ? ParseVerdict::kGood : ParseVerdict::kMalformed;
}

}  // namespace

std::string WriteCaptureDescription(const CaptureDescription& description) {
  return Line(DescriptionSentence(description), JoinItems(WriteItems(description)));
}

std::string WritePacketMark(const PacketMark& mark) {
  Mark values;
  if (mark.undecided) values.undecided = true;
  if (mark.damaged) values.damaged = WholeCharacters(*mark.damaged, kLongestDamage);
  if (mark.limit_reached) values.limit_reached = true;
  values.coverage_first = mark.coverage_first;
  values.coverage_last = mark.coverage_last;
  std::vector<Item> items;
  for (const auto& key : kMarkKeys) {
    std::string text = WriteItem("", key, values);
    if (!text.empty()) items.push_back({std::string(key.name), std::move(text)});
  }
  return Line(MarkSentence(mark), JoinItems(std::move(items)));
}

ParseVerdict ParseCaptureDescription(std::string_view text, CaptureDescription& description) {
  description = {};
  return ParseItems(text, [&description](std::string_view key, std::string_view value) {
    if (key.starts_with(kFilterPrefix)) {
      return ReadItem<Filter>(kFilterKeys, key.substr(kFilterPrefix.size()), value,
                              description.filter_v1);
    }
    if (key == kLeftOutKey.name) return ReadItem<D>({&kLeftOutKey, 1}, key, value, description);
    return ReadItem<D>(kKeys, key, value, description);
  });
}

ParseVerdict ParsePacketMark(std::string_view text, PacketMark& mark) {
  Mark values;
  const ParseVerdict verdict =
      ParseItems(text, [&values](std::string_view key, std::string_view value) {
        return ReadItem<Mark>(kMarkKeys, key, value, values);
      });
  mark = {.undecided = values.undecided.value_or(false),
          .damaged = std::move(values.damaged),
          .limit_reached = values.limit_reached.value_or(false),
          .coverage_first = std::move(values.coverage_first),
          .coverage_last = std::move(values.coverage_last)};
  return verdict;
}

std::string WriteCompareMark(const CompareMark& mark) {
  CompareMark values = mark;
  if (values.local_file) values.local_file = WholeCharacters(*values.local_file, kLongestDamage);
  std::vector<Item> items;
  for (const auto& key : kCompareKeys) {
    std::string text = WriteItem("", key, values);
    if (!text.empty()) items.push_back({std::string(key.name), std::move(text)});
  }
  const bool arrived = values.arrived.value_or(false);
  return Line(arrived ? "Seen at the routers." : "Not seen at the routers.",
              JoinItems(std::move(items)));
}

ParseVerdict ParseCompareMark(std::string_view text, CompareMark& mark) {
  mark = {};
  return ParseItems(text, [&mark](std::string_view key, std::string_view value) {
    return ReadItem<CompareMark>(kCompareKeys, key, value, mark);
  });
}

}  // namespace cloudflaredump
