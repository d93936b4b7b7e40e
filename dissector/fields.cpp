// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/fields.h"

#include <epan/ipproto.h>
#include <epan/unit_strings.h>
#include <wsutil/inet_addr.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "common/colos.h"
#include "common/json.h"
#include "common/text.h"
#include "common/time.h"

namespace cloudflaredump::dissector {
namespace {

// Wireshark 4.0 declares the members without const.
const unit_name_string kPacketUnits = {const_cast<char*>(" packet"), const_cast<char*>(" packets")};

/// Wireshark's type of a field, and how it shows the value.
struct Form {
  ftenum type;
  int display = BASE_NONE;
  const void* strings = nullptr;
};

Form FormOf(FieldKind kind) {
  constexpr int kUnits = BASE_DEC | BASE_UNIT_STRING;
  switch (kind) {
    case FieldKind::kTime:
      return {FT_ABSOLUTE_TIME, ABSOLUTE_TIME_UTC};
    case FieldKind::kNanoseconds:
      return {FT_RELATIVE_TIME};
    case FieldKind::kSeconds:
      return {FT_UINT32, kUnits, &units_second_seconds};
    case FieldKind::kPackets:
      return {FT_UINT64, kUnits, &kPacketUnits};
    case FieldKind::kBytes:
      return {FT_UINT64, kUnits, &units_byte_bytes};
    case FieldKind::kCount:
      return {FT_UINT32, BASE_DEC};
    case FieldKind::kPercent:
      return {FT_UINT32, kUnits, &units_percent};
    case FieldKind::kFlag:
      return {FT_BOOLEAN};
    case FieldKind::kText:
    case FieldKind::kFilter:
      break;
  }
  return {FT_STRING};
}

/// Of a field of filter_v1 that is a number.
Form FormOf(FilterV1Field::Kind kind) {
  if (kind == FilterV1Field::Kind::kProtocol) {
    return {FT_UINT8, BASE_DEC | BASE_EXT_STRING, &ipproto_val_ext};
  }
  return {kind == FilterV1Field::Kind::kPort ? FT_UINT16 : FT_UINT8, BASE_DEC};
}

/// A field as Wireshark keeps it: by pointers into this, so that it must stay where it is.
struct Registered {
  std::string name;  ///< "cloudflare.colo"
  std::string help;
  const char* label;
  Form form;
  bool worked_out = false;  ///< Not said by the capture file: stands in brackets.
  int id = -1;
};

std::deque<Registered>& AllFields() {
  static std::deque<Registered> fields;
  return fields;
}

constexpr std::string_view kFilterPrefix = "filter_v1.";
constexpr const char* kIpv6 = "_ipv6";
constexpr const char* kNetwork = "_text";

/// Places by name, without the prefix.
std::map<std::string, std::size_t, std::less<>>& Places() {
  static std::map<std::string, std::size_t, std::less<>> places;
  return places;
}

std::size_t PlaceOf(std::string_view name) {
  return Places().find(name)->second;
}

void Define(const std::string& name, const char* label, Form form, std::string help,
            bool worked_out = false) {
  // A packet comment may say what the description says.
  if (!Places().emplace(name, AllFields().size()).second) return;
  AllFields().push_back({"cloudflare." + name, std::move(help), label, form, worked_out});
}

void DefineFilterFields() {
  for (const FilterV1Field& field : FilterV1Fields()) {
    const std::string name = std::string(kFilterPrefix) + field.name;
    const std::string help = std::string(field.label) + " that Cloudflare filtered on";
    if (field.kind == FilterV1Field::Kind::kAddress) {
      Define(name, field.label, {FT_IPv4}, help + " (IPv4)");
      Define(name + kIpv6, field.label, {FT_IPv6}, help + " (IPv6)");
      Define(name + kNetwork, field.label, {FT_STRING}, help + ", if it is not a single address");
    } else {
      Define(name, field.label, FormOf(field.kind), help);
    }
  }
}

template <class T>
void DefineAll(std::span<const DescribedField<T>> fields) {
  for (const auto& field : fields) {
    Define(field.name, field.label, FormOf(field.kind), field.help);
  }
}

/// A time of the capture description as Wireshark keeps times; nothing if it is none.
std::optional<nstime_t> ToWireshark(std::string_view rfc3339) {
  const auto time = ParseRfc3339(rfc3339);
  if (!time) return std::nullopt;
  const auto whole = std::chrono::floor<std::chrono::seconds>(*time);
  nstime_t converted = {};
  converted.secs = static_cast<time_t>(whole.time_since_epoch().count());
  converted.nsecs = static_cast<int>((*time - whole).count());
  return converted;
}

/// The fields an address may become; the API may have accepted more than single addresses.
void Collect(std::vector<FieldValue>& into, const std::string& name,
             const std::optional<std::string>& address) {
  if (!address) return;
  ws_in4_addr ipv4 = 0;
  ws_in6_addr ipv6 = {};
  if (ws_inet_pton4(address->c_str(), &ipv4)) {
    into.push_back({PlaceOf(name), ipv4});
  } else if (ws_inet_pton6(address->c_str(), &ipv6)) {
    into.push_back({PlaceOf(name + kIpv6), ipv6});
  } else {
    into.push_back({PlaceOf(name + kNetwork), PrintableText(*address)});
  }
}
void Collect(std::vector<FieldValue>& into, const std::string& name,
             const std::optional<std::uint64_t>& number) {
  if (number) into.push_back({PlaceOf(name), *number});
}

/// Turns the members of a description or mark into fields.
class Collector {
 public:
  explicit Collector(std::string& unreadable) : unreadable_(unreadable) {}

  template <class T>
  std::vector<FieldValue> Collect(const T& values, std::span<const DescribedField<T>> fields) {
    for (const auto& field : fields) {
      name_ = field.name;
      kind_ = field.kind;
      std::visit([&](auto member) { Take(values.*member); }, field.member);
    }
    return std::move(fields_);
  }

 private:
  void Add(FieldContent content) { fields_.push_back({PlaceOf(name_), std::move(content)}); }

  void Take(const std::optional<std::string>& text) {
    if (!text) return;
    if (kind_ != FieldKind::kTime) {
      Add(PrintableText(*text));
    } else if (const auto time = ToWireshark(*text)) {
      Add(*time);
    } else {
      unreadable_.append(unreadable_.empty() ? "" : ", ").append(name_);
    }
    const Colo* const colo = name_ == "colo" ? FindColo(*text) : nullptr;
    if (colo == nullptr) return;
    fields_.push_back({PlaceOf("colo.city"), std::string(colo->city)});
    fields_.push_back({PlaceOf("colo.country"), std::string(colo->country)});
  }
  void Take(const std::optional<std::uint64_t>& number) {
    if (!number) return;
    if (kind_ != FieldKind::kNanoseconds) return Add(*number);
    nstime_t span = {};
    span.secs = static_cast<time_t>(*number / 1'000'000'000);
    span.nsecs = static_cast<int>(*number % 1'000'000'000);
    Add(span);
  }
  void Take(const std::optional<bool>& flag) {
    if (flag) Add(*flag);
  }
  void Take(bool flag) {
    if (flag) Add(flag);
  }
  /// Nothing set means everything, which is worth a field where a capture is described at all.
  void Take(const FilterV1& filter) {
    if (fields_.empty()) return;
    Add(PrintableText(DumpJson(Json(FilterV1Json(filter)).get())));
    for (const FilterV1Field& field : FilterV1Fields()) {
      const std::string name = std::string(kFilterPrefix) + field.name;
      std::visit(
          [&](auto member) { dissector::Collect(fields_.back().below, name, filter.*member); },
          field.member);
    }
  }

  std::string& unreadable_;
  std::string_view name_;
  FieldKind kind_ = FieldKind::kText;
  std::vector<FieldValue> fields_;
};

int filter_tree_shape = -1;

/// Adds one value, whatever its type, to a tree.
struct Adder {
  proto_tree* tree;
  tvbuff_t* tvb;
  const Registered& field;

  proto_item* operator()(const std::string& text) const {
    return proto_tree_add_string(tree, field.id, tvb, 0, 0, text.c_str());
  }
  proto_item* operator()(std::uint64_t number) const {
    if (field.form.type == FT_UINT64) {
      return proto_tree_add_uint64(tree, field.id, tvb, 0, 0, number);
    }
    return proto_tree_add_uint(tree, field.id, tvb, 0, 0, static_cast<std::uint32_t>(number));
  }
  proto_item* operator()(bool flag) const {
    return proto_tree_add_boolean(tree, field.id, tvb, 0, 0, flag ? 1 : 0);
  }
  proto_item* operator()(const nstime_t& time) const {
    return proto_tree_add_time(tree, field.id, tvb, 0, 0, &time);
  }
  proto_item* operator()(ws_in4_addr address) const {
    return proto_tree_add_ipv4(tree, field.id, tvb, 0, 0, address);
  }
  proto_item* operator()(const ws_in6_addr& address) const {
    return proto_tree_add_ipv6(tree, field.id, tvb, 0, 0, &address);
  }
};

}  // namespace

void RegisterFields(int protocol) {
  DefineAll(DescriptionFields());
  DefineAll(MarkFields());
  DefineFilterFields();
  Define("colo.city", "City", {FT_STRING}, "The city of the data center", true);
  Define("colo.country", "Country", {FT_STRING}, "The country of the data center", true);
  Define("cut", "Cut", {FT_BOOLEAN},
         "Whether the packet was longer than what was captured of it; absent if it is whole", true);
  static std::vector<hf_register_info> registrations;  // Wireshark keeps pointers into this, too.
  for (Registered& field : AllFields()) {
    registrations.push_back({&field.id,
                             {field.label, field.name.c_str(), field.form.type, field.form.display,
                              field.form.strings, 0, field.help.c_str(), HFILL}});
  }
  proto_register_field_array(protocol, registrations.data(),
                             static_cast<int>(registrations.size()));
  static int* shapes[] = {&filter_tree_shape};
  proto_register_subtree_array(shapes, array_length(shapes));
}

std::vector<FieldValue> FieldsOf(const CaptureDescription& description, std::string& unreadable) {
  return Collector(unreadable).Collect(description, DescriptionFields());
}

std::vector<FieldValue> FieldsOf(const PacketMark& mark) {
  std::string unreadable;
  return Collector(unreadable).Collect(mark, MarkFields());
}

const FieldValue& CutField() {
  static const FieldValue cut = {PlaceOf("cut"), true};
  return cut;
}

void AddField(proto_tree* tree, tvbuff_t* tvb, const FieldValue& value) {
  const Registered& field = AllFields()[value.field];
  proto_item* const item = std::visit(Adder{tree, tvb, field}, value.content);
  if (field.worked_out) proto_item_set_generated(item);
  if (value.below.empty()) return;
  proto_tree* const below = proto_item_add_subtree(item, filter_tree_shape);
  for (const FieldValue& part : value.below) AddField(below, tvb, part);
}

}  // namespace cloudflaredump::dissector
