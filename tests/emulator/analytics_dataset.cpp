// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/analytics_dataset.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <glib.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "tests/emulator/packet_fields.h"

namespace cloudflare_emulator {
namespace {

enum class Type { kText, kNumber, kTime };

struct Dimension {
  std::string_view name;
  Type type;
};

/// The dimensions that this dataset is documented or seen with, and that packets can tell.
constexpr Dimension kDimensions[] = {
    {"coloCode", Type::kText},
    {"coloName", Type::kText},
    {"ipSourceAddress", Type::kText},
    {"ipDestinationAddress", Type::kText},
    {"ipSourceSubnet", Type::kText},
    {"ipDestinationSubnet", Type::kText},
    {"sourcePort", Type::kNumber},
    {"destinationPort", Type::kNumber},
    {"ipProtocol", Type::kNumber},
    {"outcome", Type::kText},
    {"direction", Type::kText},
    {"mitigationSystem", Type::kText},
    {"datetime", Type::kTime},
    {"datetimeMinute", Type::kTime},
    {"datetimeFiveMinutes", Type::kTime},
    {"datetimeHour", Type::kTime},
};

/// Where the dimension stands in the table; nothing if there is none of this name.
std::optional<std::size_t> PlaceOfDimension(std::string_view name) {
  const auto found = std::ranges::find(kDimensions, name, &Dimension::name);
  if (found == std::end(kDimensions)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kDimensions));
}

std::string AddressText(Address address, std::size_t kept_bytes) {
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(kept_bytes), address.bytes.end(),
            std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string WholeAddress(const Address& address) {
  return AddressText(address, address.bytes.size());
}

/// "/24 for IPv4; /64 for IPv6".
std::string Subnet(const Address& address) {
  return AddressText(address, address.ipv6 ? 8 : 3) + (address.ipv6 ? "/64" : "/24");
}

std::int64_t FloorTo(Time time, std::int64_t seconds) {
  const std::int64_t step = seconds * 1'000'000'000;
  return time.time_since_epoch().count() / step * step;
}

}  // namespace

std::optional<AnalyticsSample> SampleOf(const Record& record, const Places& places) {
  const auto ip = FindIpHeader(record);
  const auto fields = ip ? ReadPacketFields(Bytes(record.bytes).subspan(*ip)) : std::nullopt;
  if (!fields) return std::nullopt;
  const std::string& site = places.SiteOf(record);
  const std::string system = places.DroppedBy(record);
  AnalyticsSample sample{.dimensions = {}, .bytes = record.original_length - *ip};
  // In the order of kDimensions.
  sample.dimensions = {
      ColoOfSite(site),
      site,
      WholeAddress(fields->source),
      WholeAddress(fields->destination),
      Subnet(fields->source),
      Subnet(fields->destination),
      std::int64_t{fields->source_port.value_or(0)},
      std::int64_t{fields->destination_port.value_or(0)},
      std::int64_t{fields->protocol.value_or(0)},
      std::string(system.empty() ? "pass" : "drop"),
      std::string(places.IsEgress(record) ? "egress" : "ingress"),
      system,
      std::int64_t{record.time.time_since_epoch().count()},
      FloorTo(record.time, 60),
      FloorTo(record.time, 300),
      FloorTo(record.time, 3600),
  };
  return sample;
}

/// Reads one `filter` object, with what its time conditions come to.
class FilterReader {
 public:
  using Test = AnalyticsFilter::Test;
  using Read = std::expected<Test, Refusal>;
  using Kind = GraphqlValue::Kind;

  Read Object(const GraphqlValue& object) {
    if (object.kind != Kind::kObject) return std::unexpected("error parsing args: filter");
    std::vector<Test> tests;
    for (const GraphqlValue& member : object.members) {
      const std::string& name = member.name;
      auto test =
          name == "AND" || name == "OR" ? Several(name == "AND", member) : Condition(name, member);
      if (!test) return test;
      tests.push_back(*std::move(test));
    }
    return AllOf(std::move(tests));
  }

  std::optional<Time> start;
  std::optional<Time> end;

 private:
  static Test AllOf(std::vector<Test> tests) {
    return [tests = std::move(tests)](const AnalyticsSample& sample) {
      return std::ranges::all_of(tests, [&](const Test& test) { return test(sample); });
    };
  }

  static std::unexpected<Refusal> BadArgument(const std::string& name) {
    return std::unexpected("error parsing args for \"" + name + "\"");
  }

  Read Several(bool all, const GraphqlValue& value) {
    if (value.kind != Kind::kList || value.list.empty()) return BadArgument(all ? "AND" : "OR");
    std::vector<Test> tests;
    for (const GraphqlValue& one : value.list) {
      auto test = Object(one);
      if (!test) return test;
      tests.push_back(*std::move(test));
    }
    if (all) return AllOf(std::move(tests));
    return [tests = std::move(tests)](const AnalyticsSample& sample) {
      return std::ranges::any_of(tests, [&](const Test& test) { return test(sample); });
    };
  }

  Read Condition(const std::string& key, const GraphqlValue& value) {
    const std::size_t under = key.rfind('_');
    const std::string name = key.substr(0, under);
    const std::string op = under == std::string::npos ? "" : key.substr(under + 1);
    const auto place = PlaceOfDimension(name);
    if (!place) return std::unexpected("unknown field \"" + key + "\"");
    const Type type = kDimensions[*place].type;
    if (op == "in" || op == "notin") return OneOf(*place, op == "in", value);
    auto wanted = Literal(type, value);
    if (!wanted) return BadArgument(key);
    if (type == Type::kTime) Bound(op, Time(Span(std::get<std::int64_t>(*wanted))));
    return Comparison(key, *place, op, *wanted);
  }

  static Read OneOf(std::size_t place, bool in, const GraphqlValue& value) {
    const std::string name(kDimensions[place].name);
    if (value.kind != Kind::kList) return BadArgument(name);
    std::vector<DimensionValue> wanted;
    for (const GraphqlValue& one : value.list) {
      auto literal = Literal(kDimensions[place].type, one);
      if (!literal) return BadArgument(name);
      wanted.push_back(*std::move(literal));
    }
    return [place, in, wanted = std::move(wanted)](const AnalyticsSample& sample) {
      const auto found = std::ranges::find(wanted, sample.dimensions[place]);
      return (found != wanted.end()) == in;
    };
  }

  static Read Comparison(const std::string& key, std::size_t place, const std::string& op,
                         const DimensionValue& wanted) {
    const bool text = std::holds_alternative<std::string>(wanted);
    if (op == "like" && text) {
      std::string pattern = std::get<std::string>(wanted);
      std::ranges::replace(pattern, '%', '*');
      return [place, pattern](const AnalyticsSample& sample) {
        const auto& have = std::get<std::string>(sample.dimensions[place]);
        return fnmatch(pattern.c_str(), have.c_str(), 0) == 0;
      };
    }
    using Compare = bool (*)(const DimensionValue&, const DimensionValue&);
    static const std::map<std::string, Compare> kComparisons = {
        {"", [](const auto& a, const auto& b) { return a == b; }},
        {"neq", [](const auto& a, const auto& b) { return a != b; }},
        {"gt", [](const auto& a, const auto& b) { return a > b; }},
        {"lt", [](const auto& a, const auto& b) { return a < b; }},
        {"geq", [](const auto& a, const auto& b) { return a >= b; }},
        {"leq", [](const auto& a, const auto& b) { return a <= b; }},
    };
    const auto compare = kComparisons.find(op);
    if (compare == kComparisons.end()) return std::unexpected("unknown field \"" + key + "\"");
    return [place, wanted, holds = compare->second](const AnalyticsSample& sample) {
      return holds(sample.dimensions[place], wanted);
    };
  }

  static std::optional<DimensionValue> Literal(Type type, const GraphqlValue& value) {
    if (type == Type::kNumber) {
      if (value.kind != Kind::kInt) return std::nullopt;
      return std::int64_t{g_ascii_strtoll(value.text.c_str(), nullptr, 10)};
    }
    if (value.kind != Kind::kString) return std::nullopt;
    if (type == Type::kText) return value.text;
    const auto time = ParseRfc3339(value.text);
    if (!time) return std::nullopt;
    return std::int64_t{time->time_since_epoch().count()};
  }

  void Bound(const std::string& op, Time time) {
    if (op == "gt" || op == "geq" || op.empty()) start = std::max(start.value_or(time), time);
    if (op == "lt" || op == "leq" || op.empty()) end = std::min(end.value_or(time), time);
  }
};

std::expected<AnalyticsFilter, Refusal> AnalyticsFilter::Read(const GraphqlValue& object) {
  FilterReader reader;
  auto test = reader.Object(object);
  if (!test) return std::unexpected(test.error());
  AnalyticsFilter filter;
  filter.holds_ = *std::move(test);
  filter.start_ = reader.start;
  filter.end_ = reader.end;
  return filter;
}

namespace {

bool IsOrder(const std::string& text) {
  for (const char* direction : {"_ASC", "_DESC"}) {
    if (!text.ends_with(direction)) continue;
    const std::string name = text.substr(0, text.rfind('_'));
    return name == "sum_packets" || name == "sum_bits" || PlaceOfDimension(name);
  }
  return false;
}

std::optional<Refusal> ReadOrder(const GraphqlValue& value, std::vector<std::string>& order) {
  if (value.kind != GraphqlValue::Kind::kList) return "error parsing args for \"orderBy\"";
  for (const GraphqlValue& one : value.list) {
    if (one.kind != GraphqlValue::Kind::kEnum || !IsOrder(one.text)) {
      return "error parsing args for \"orderBy\"";
    }
    order.push_back(one.text);
  }
  return std::nullopt;
}

std::optional<Refusal> ReadGroup(const GraphqlField& group, AnalyticsSelection& selection) {
  if (group.name != "dimensions" && group.name != "sum" && group.name != "avg") {
    return "unknown field \"" + group.name + "\"";
  }
  if (!group.arguments.empty()) return "error parsing args for \"" + group.name + "\"";
  for (const GraphqlField& field : group.selection) {
    const bool plain = field.arguments.empty() && field.selection.empty();
    const auto dimension = PlaceOfDimension(field.name);
    if (group.name == "dimensions" && plain && dimension) {
      selection.dimensions.push_back(*dimension);
    } else if (group.name == "sum" && plain && (field.name == "packets" || field.name == "bits")) {
      selection.sums.push_back(field.name);
    } else if (group.name == "avg" && plain && field.name == "sampleInterval") {
      selection.sample_interval = true;
    } else {
      return "unknown field \"" + field.name + "\"";
    }
  }
  return std::nullopt;
}

/// One row in the making.
struct Group {
  std::map<std::size_t, DimensionValue> dimensions;
  std::uint64_t packets = 0;
  std::uint64_t bits = 0;
};

/// -1, 0 or 1.
int Compare(const Group& a, const Group& b, const std::string& name) {
  if (name == "sum_packets") return a.packets < b.packets ? -1 : a.packets > b.packets;
  if (name == "sum_bits") return a.bits < b.bits ? -1 : a.bits > b.bits;
  const std::size_t place = PlaceOfDimension(name).value_or(0);
  const auto x = a.dimensions.find(place);
  const auto y = b.dimensions.find(place);
  if (x == a.dimensions.end()) return 0;
  return x->second < y->second ? -1 : x->second > y->second;
}

bool ComesFirst(const Group& a, const Group& b, const std::vector<std::string>& order) {
  for (const std::string& one : order) {
    const std::size_t under = one.rfind('_');
    const int way = Compare(a, b, one.substr(0, under));
    if (way != 0) return one.substr(under) == "_DESC" ? way > 0 : way < 0;
  }
  return false;
}

Json ValueJson(std::size_t place, const DimensionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return JsonText(*text);
  const std::int64_t number = std::get<std::int64_t>(value);
  if (kDimensions[place].type != Type::kTime) return Json(json_integer(number));
  const auto second = std::chrono::floor<std::chrono::seconds>(Time(Span(number)));
  return JsonText(FormatRfc3339(second).substr(0, 19) + "Z");
}

Json RowJson(const Group& group, const AnalyticsSelection& selection, std::uint64_t interval) {
  Json row(json_object());
  if (!selection.dimensions.empty()) {
    Json dimensions(json_object());
    for (const auto& [place, value] : group.dimensions) {
      Set(dimensions.get(), kDimensions[place].name.data(), ValueJson(place, value));
    }
    Set(row.get(), "dimensions", std::move(dimensions));
  }
  if (!selection.sums.empty()) {
    Json sum(json_object());
    for (const std::string& name : selection.sums) {
      const std::uint64_t number = name == "packets" ? group.packets : group.bits;
      Set(sum.get(), name.c_str(), Json(json_integer(static_cast<json_int_t>(number * interval))));
    }
    Set(row.get(), "sum", std::move(sum));
  }
  if (selection.sample_interval) {
    Json avg(json_object());
    Set(avg.get(), "sampleInterval", Json(json_real(static_cast<double>(interval))));
    Set(row.get(), "avg", std::move(avg));
  }
  return row;
}

}  // namespace

std::expected<AnalyticsSelection, Refusal> ReadSelection(const GraphqlField& node) {
  AnalyticsSelection selection;
  for (const GraphqlValue& argument : node.arguments) {
    if (argument.name == "limit" || argument.name == "filter") continue;
    if (argument.name != "orderBy") {
      return std::unexpected("error parsing args for \"" + node.name + "\"");
    }
    if (auto refusal = ReadOrder(argument, selection.order)) return std::unexpected(*refusal);
  }
  for (const GraphqlField& group : node.selection) {
    if (group.selection.empty()) return std::unexpected("unknown field \"" + group.name + "\"");
    if (auto refusal = ReadGroup(group, selection)) return std::unexpected(*refusal);
  }
  return selection;
}

std::vector<std::string> AvailableFields(bool sample_interval) {
  std::vector<std::string> fields = {"sum_packets", "sum_bits"};
  if (sample_interval) fields.emplace_back("avg_sampleInterval");
  for (const Dimension& one : kDimensions) {
    fields.push_back("dimensions_" + std::string(one.name));
  }
  return fields;
}

Json GroupSamples(const std::vector<AnalyticsSample>& samples, const AnalyticsSelection& selection,
                  std::uint64_t interval, std::size_t limit) {
  std::map<std::vector<DimensionValue>, Group> groups;
  constexpr std::uint64_t kBitsOfAByte = 8;
  for (const AnalyticsSample& sample : samples) {
    std::vector<DimensionValue> key;
    for (const std::size_t place : selection.dimensions) key.push_back(sample.dimensions[place]);
    Group& group = groups[key];
    for (std::size_t i = 0; i < key.size() && group.packets == 0; ++i) {
      group.dimensions.emplace(selection.dimensions[i], key[i]);
    }
    ++group.packets;
    group.bits += sample.bytes * kBitsOfAByte;
  }
  std::vector<Group> rows;
  for (const auto& [key, group] : groups) rows.push_back(group);
  std::ranges::stable_sort(
      rows, [&](const Group& a, const Group& b) { return ComesFirst(a, b, selection.order); });
  Json list(json_array());
  for (std::size_t i = 0; i < std::min(limit, rows.size()); ++i) {
    json_array_append_new(list.get(), RowJson(rows[i], selection, interval).release());
  }
  return list;
}

}  // namespace cloudflare_emulator
