// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/path_box.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace cloudflaredump::filter {
namespace {

/// One path makes no more boxes than this, however its handfuls multiply.
constexpr std::size_t kMostBoxes = 16;

/// The values of one field: none at all (not pinned), or those of which every packet has one.
template <class T>
using Choices = std::vector<std::optional<T>>;

/// Fields of all packets of a path. `impossible` if some field has no value left.
struct Fields {
  Choices<IpAddress> source_address = {std::nullopt};
  Choices<IpAddress> destination_address = {std::nullopt};
  Choices<std::uint16_t> source_port = {std::nullopt};
  Choices<std::uint16_t> destination_port = {std::nullopt};
  Choices<std::uint8_t> protocol = {std::nullopt};
  bool impossible = false;
  bool ports_proven = false;
  bool ipv6_address_known = false;
};

template <class T, class List>
bool Contains(const List& list, T value) {
  return std::ranges::find(list, value) != std::ranges::end(list);
}

template <class T, class Make>
Choices<T> ChoicesOf(const std::vector<std::uint32_t>& values, Make make) {
  Choices<T> choices;
  for (const std::uint32_t value : values) choices.emplace_back(make(value));
  return choices;
}

class FieldReader {
 public:
  FieldReader(const Facts& facts, const PathBoxOptions& options)
      : facts_(facts), options_(options) {}

  Fields Ipv4() {
    ReadIpv4Address(kIpv4Source, fields_.source_address);
    ReadIpv4Address(kIpv4Destination, fields_.destination_address);
    const auto protocols = Values(kIpv4Protocol, options_.handful + kPortProtocols.size());
    SetProtocol(protocols);
    const KnownBits fragment = facts_.Known(kIpv4Fragment);
    const bool first_fragment = (fragment.mask & ~fragment.value & 0x1fff) == 0x1fff;
    fields_.ports_proven = first_fragment && AllArePortProtocols(protocols);
    if (fields_.ports_proven) ReadIpv4Ports();
    return std::move(fields_);
  }

  Fields Ipv6() {
    ReadIpv6Address(kIpv6SourceOffset, fields_.source_address);
    ReadIpv6Address(kIpv6DestinationOffset, fields_.destination_address);
    const auto next = Values(kIpv6NextHeader, options_.handful + kPortProtocols.size());
    const bool fragment = next && *next == std::vector<std::uint32_t>{44};
    SetIpv6Protocol(fragment ? Values(kIpv6FragmentNextHeader, options_.handful) : next);
    fields_.ports_proven = AllArePortProtocols(next);
    if (fields_.ports_proven) {
      SetPort(kIpv6SourcePort, facts_, fields_.source_port);
      SetPort(kIpv6DestinationPort, facts_, fields_.destination_port);
    }
    return std::move(fields_);
  }

 private:
  using Numbers = std::optional<std::vector<std::uint32_t>>;

  Numbers Values(const Window& window, std::size_t most) {
    Numbers values = facts_.Values(window, most);
    if (values && values->empty()) fields_.impossible = true;
    return values;
  }

  static bool AllArePortProtocols(const Numbers& protocols) {
    return protocols && std::ranges::all_of(*protocols, [](std::uint32_t protocol) {
             return Contains(kPortProtocols, protocol);
           });
  }

  void ReadIpv4Address(const Window& window, Choices<IpAddress>& choices) {
    const Numbers values = Values(window, options_.handful);
    if (values) choices = ChoicesOf<IpAddress>(*values, Ipv4Address);
  }

  void ReadIpv6Address(std::uint32_t offset, Choices<IpAddress>& choices) {
    IpAddress address{.version = 6};
    for (std::uint32_t i = 0; i < 16; i += 4) {
      const Numbers word = Values({false, offset + i, 4}, 1);
      if (!word || word->size() != 1) return;
      for (std::uint32_t k = 0; k < 4; ++k) {
        address.bytes[i + k] = static_cast<std::uint8_t>(word->front() >> (24 - 8 * k));
      }
    }
    fields_.ipv6_address_known = true;
    if (options_.pin_ipv6) choices = {address};
  }

  void SetProtocol(const Numbers& protocols) {
    if (!protocols || protocols->size() > options_.handful) return;
    fields_.protocol = ChoicesOf<std::uint8_t>(
        *protocols, [](std::uint32_t number) { return static_cast<std::uint8_t>(number); });
  }

  /// Behind one of the extension headers stands a protocol that nobody has read.
  void SetIpv6Protocol(const Numbers& protocols) {
    if (!protocols) return;
    const bool behind = std::ranges::any_of(
        *protocols, [](std::uint32_t number) { return Contains(kExtensionHeaders, number); });
    if (!behind) SetProtocol(protocols);
  }

  void SetPort(const Window& window, const Facts& facts, Choices<std::uint16_t>& choices) {
    const Numbers values = facts.Values(window, options_.handful);
    if (!values) return;
    if (values->empty()) fields_.impossible = true;
    choices = ChoicesOf<std::uint16_t>(
        *values, [](std::uint32_t number) { return static_cast<std::uint16_t>(number); });
  }

  /// Behind the header, wherever that ends; and at a fixed place where its length is known.
  void ReadIpv4Ports() {
    const auto first = facts_.Values(kFirstByte, 1);
    if (!first || first->size() != 1) {
      SetPort(kIpv4SourcePort, facts_, fields_.source_port);
      SetPort(kIpv4DestinationPort, facts_, fields_.destination_port);
      return;
    }
    const std::uint32_t length = 4 * (first->front() & 0xf);
    const Facts fixed = facts_.WithHeaderLength(length);
    SetPort({false, length, 2}, fixed, fields_.source_port);
    SetPort({false, length + 2, 2}, fixed, fields_.destination_port);
  }

  const Facts& facts_;
  PathBoxOptions options_;
  Fields fields_;
};

template <class T>
void Unpin(Choices<T>& choices) {
  choices.assign(1, std::nullopt);
}

/// Gives up handfuls, protocol before port before address, until their product is bounded.
void BoundProduct(Fields& fields) {
  const auto product = [&] {
    return fields.source_address.size() * fields.destination_address.size() *
           fields.source_port.size() * fields.destination_port.size() * fields.protocol.size();
  };
  const auto give_up = [&](auto& choices) {
    if (product() > kMostBoxes && choices.size() > 1) Unpin(choices);
  };
  give_up(fields.protocol);
  give_up(fields.source_port);
  give_up(fields.destination_port);
  give_up(fields.source_address);
}

std::vector<Box> Product(const Fields& fields) {
  std::vector<Box> boxes;
  for (const auto& source : fields.source_address)
    for (const auto& destination : fields.destination_address)
      for (const auto& source_port : fields.source_port)
        for (const auto& destination_port : fields.destination_port)
          for (const auto& protocol : fields.protocol)
            boxes.push_back({source, destination, source_port, destination_port, protocol});
  return boxes;
}

bool Touches(const Window& window, const Window& field) {
  return window.behind_header == field.behind_header && window.offset < field.offset + field.size &&
         field.offset < window.offset + window.size;
}

/// Whether a fact picks at most half of the numbers there are, as `host`, `net` and `port` do and
/// `not host` does not.
bool Picks(const Fact& fact) {
  return !fact.excluded && 2 * (std::uint64_t{fact.most} - fact.least) < fact.mask;
}

bool NamesEndpoint(const Facts& facts, IpFamily family, bool ports_proven) {
  const bool ipv4 = family == IpFamily::kIpv4;
  const Window addresses = ipv4 ? Window{false, 12, 8} : Window{false, 8, 32};
  const Window ports = ipv4 ? Window{true, 0, 4} : Window{false, 40, 4};
  return std::ranges::any_of(facts.list(), [&](const Fact& fact) {
    const bool endpoint =
        Touches(fact.window, addresses) || (ports_proven && Touches(fact.window, ports));
    return endpoint && Picks(fact);
  });
}

}  // namespace

Facts FamilyFacts(IpFamily family) {
  Facts facts;
  const std::uint32_t version = family == IpFamily::kIpv4 ? 0x40 : 0x60;
  facts.Add({.window = kFirstByte, .mask = 0xf0, .least = version, .most = version});
  if (family == IpFamily::kIpv4) {
    facts.Add({.window = kFirstByte, .mask = 0x0f, .least = 5, .most = 15});
  }
  return facts;
}

std::vector<PathBox> BoxesOf(const Facts& facts, IpFamily family, const PathBoxOptions& options) {
  FieldReader reader(facts, options);
  Fields fields = family == IpFamily::kIpv4 ? reader.Ipv4() : reader.Ipv6();
  if (fields.impossible) return {};
  BoundProduct(fields);
  const PathTraits traits{.ipv6 = family == IpFamily::kIpv6,
                          .names_endpoint = NamesEndpoint(facts, family, fields.ports_proven),
                          .names_ipv6_address = fields.ipv6_address_known && !options.pin_ipv6};
  std::vector<PathBox> boxes;
  for (const Box& box : Product(fields)) boxes.push_back({box, traits});
  return boxes;
}

}  // namespace cloudflaredump::filter
