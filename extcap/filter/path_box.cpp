// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/path_box.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace cloudflaredump::filter {
namespace {

/// One path makes no more boxes than this, however its handfuls multiply.
constexpr std::size_t kMostPathBoxes = 16;

using Numbers = std::optional<std::vector<std::uint32_t>>;

bool IsPortProtocol(std::uint32_t protocol) {
  return std::ranges::find(kPortProtocols, protocol) != kPortProtocols.end();
}

bool IsExtensionHeader(std::uint32_t protocol) {
  return std::ranges::find(kExtensionHeaders, protocol) != kExtensionHeaders.end();
}

/// Makes the boxes of a path: one, or where fields have a handful of values, one for each
/// combination. None if some field has no value left.
class BoxMaker {
 public:
  BoxMaker(const Facts& facts, const PathBoxOptions& options) : facts_(facts), options_(options) {}

  // Of fields with handfuls the later ones are given up first, protocol before port before address.
  void MakeIpv4() {
    Pin(&Box::destination_address, facts_.Values(kIpv4Destination, options_.handful), Ipv4Address);
    Pin(&Box::source_address, facts_.Values(kIpv4Source, options_.handful), Ipv4Address);
    const Numbers protocols = Protocols(kIpv4Protocol);
    const KnownBits fragment = facts_.Known(kIpv4Fragment);
    const bool first_fragment = (fragment.mask & ~fragment.value & 0x1fff) == 0x1fff;
    ports_proven_ = first_fragment && AllHavePorts(protocols);
    if (ports_proven_) PinIpv4Ports();
    Pin(&Box::protocol, protocols, ToProtocol);
  }

  void MakeIpv6() {
    PinIpv6Address(&Box::destination_address, kIpv6DestinationOffset);
    PinIpv6Address(&Box::source_address, kIpv6SourceOffset);
    Numbers protocols = Protocols(kIpv6NextHeader);
    ports_proven_ = AllHavePorts(protocols);
    if (ports_proven_) PinPorts(facts_, kIpv6SourcePort, kIpv6DestinationPort);
    const bool fragment = protocols && *protocols == std::vector<std::uint32_t>{44};
    if (fragment) protocols = facts_.Values(kIpv6FragmentNextHeader, options_.handful);
    // Behind one of the extension headers stands a protocol that nobody has read.
    if (protocols && std::ranges::any_of(*protocols, IsExtensionHeader)) return;
    Pin(&Box::protocol, protocols, ToProtocol);
  }

  const std::vector<Box>& boxes() const { return boxes_; }
  bool ports_proven() const { return ports_proven_; }
  bool ipv6_address_known() const { return ipv6_address_known_; }

 private:
  static std::uint8_t ToProtocol(std::uint32_t number) { return static_cast<std::uint8_t>(number); }
  static std::uint16_t ToPort(std::uint32_t number) { return static_cast<std::uint16_t>(number); }

  /// Multiplies the boxes by the values of `field`, if those are known and a handful.
  template <class T, class Make>
  void Pin(std::optional<T> Box::* field, const Numbers& numbers, Make make) {
    if (!numbers || numbers->size() > options_.handful) return;
    if (numbers->size() > 1 && boxes_.size() * numbers->size() > kMostPathBoxes) return;
    std::vector<Box> product;
    for (Box box : boxes_) {
      for (const std::uint32_t number : *numbers) {
        box.*field = make(number);
        product.push_back(box);
      }
    }
    boxes_ = std::move(product);
  }

  /// A few more than a handful: whether all have ports is of interest as well.
  Numbers Protocols(const Window& window) const {
    return facts_.Values(window, options_.handful + kPortProtocols.size());
  }

  static bool AllHavePorts(const Numbers& protocols) {
    return protocols && std::ranges::all_of(*protocols, IsPortProtocol);
  }

  void PinIpv6Address(std::optional<IpAddress> Box::* field, std::uint32_t offset) {
    IpAddress address{.version = 6};
    for (std::uint32_t i = 0; i < 16; i += 4) {
      const Numbers word = facts_.Values({false, offset + i, 4}, 1);
      if (!word || word->size() != 1) return;
      for (std::uint32_t k = 0; k < 4; ++k) {
        address.bytes[i + k] = static_cast<std::uint8_t>(word->front() >> (24 - 8 * k));
      }
    }
    ipv6_address_known_ = true;
    if (options_.pin_ipv6) Pin(field, {{0}}, [&](std::uint32_t) { return address; });
  }

  void PinPorts(const Facts& facts, const Window& source, const Window& destination) {
    Pin(&Box::destination_port, facts.Values(destination, options_.handful), ToPort);
    Pin(&Box::source_port, facts.Values(source, options_.handful), ToPort);
  }

  /// Behind the header, wherever that ends; and at a fixed place where its length is known.
  void PinIpv4Ports() {
    const Numbers first = facts_.Values(kFirstByte, 1);
    if (!first || first->size() != 1) {
      PinPorts(facts_, kIpv4SourcePort, kIpv4DestinationPort);
      return;
    }
    const std::uint32_t length = 4 * (first->front() & 0xf);
    PinPorts(facts_.WithHeaderLength(length), {false, length, 2}, {false, length + 2, 2});
  }

  const Facts& facts_;
  PathBoxOptions options_;
  std::vector<Box> boxes_ = {Box()};
  bool ports_proven_ = false;
  bool ipv6_address_known_ = false;
};

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
  BoxMaker maker(facts, options);
  const bool ipv6 = family == IpFamily::kIpv6;
  ipv6 ? maker.MakeIpv6() : maker.MakeIpv4();
  const PathTraits traits{.ipv6 = ipv6,
                          .names_endpoint = NamesEndpoint(facts, family, maker.ports_proven()),
                          .names_ipv6_address = maker.ipv6_address_known() && !options.pin_ipv6};
  std::vector<PathBox> boxes;
  for (const Box& box : maker.boxes()) boxes.push_back({box, traits});
  return boxes;
}

}  // namespace cloudflaredump::filter
