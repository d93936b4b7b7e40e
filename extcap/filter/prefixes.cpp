// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/prefixes.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "extcap/filter/compile.h"
#include "extcap/filter/cover.h"
#include "extcap/filter/link_type.h"
#include "extcap/filter/path_box.h"
#include "extcap/filter/plan.h"
#include "extcap/filter/walk.h"

namespace cloudflaredump::filter {
namespace {

constexpr std::size_t kMostPrefixBoxes = 32;
/// Paths are simplified once they are all known; a filter with more of them is not followed.
constexpr std::size_t kMostPaths = 512;
/// A port range this short is said value by value.
constexpr std::size_t kHandful = 4;
/// Shorter prefixes say next to nothing.
constexpr int kShortestPrefix = 8;

constexpr IpFamily kFamilies[] = {IpFamily::kIpv4, IpFamily::kIpv6};

std::span<const bpf_insn> InstructionsOf(const CaptureFilter& filter) {
  const bpf_program* const program = filter.program();
  return program == nullptr ? std::span<const bpf_insn>()
                            : std::span<const bpf_insn>(program->bf_insns, program->bf_len);
}

/// How the address at `offset` of the header begins in all packets with `facts`: its known bits up
/// to the first that is not, as a prefix of at least 8 bits.
std::optional<Prefix> ReadPrefix(const Facts& facts, IpFamily family, std::uint32_t offset) {
  const bool ipv4 = family == IpFamily::kIpv4;
  IpAddress address{.version = ipv4 ? 4 : 6};
  int bits = 0;
  for (std::uint32_t i = 0; i < (ipv4 ? 4U : 16U); i += 4) {
    const KnownBits known = facts.Known({false, offset + i, 4});
    for (std::uint32_t k = 0; k < 4; ++k) {
      address.bytes[i + k] = static_cast<std::uint8_t>(known.value >> (24 - 8 * k));
    }
    const int leading = std::countl_one(known.mask);
    bits += leading;
    if (leading < 32) break;
  }
  if (bits < kShortestPrefix) return std::nullopt;
  return PrefixOf(address, bits);
}

/// Puts a prefix in the place of an address that is one of several, or of none.
void TakePrefix(const std::optional<Prefix>& read, std::optional<IpAddress>& address,
                std::optional<Prefix>& prefix) {
  if (!read) return;
  const int whole = read->address.version == 4 ? 32 : 128;
  if (read->bits == whole) {
    address = read->address;
  } else {
    address.reset();
    prefix = read;
  }
}

void AddPath(const Facts& facts, IpFamily family, std::set<PrefixBox>& found) {
  const bool ipv4 = family == IpFamily::kIpv4;
  const auto source = ReadPrefix(facts, family, ipv4 ? kIpv4Source.offset : kIpv6SourceOffset);
  const auto destination =
      ReadPrefix(facts, family, ipv4 ? kIpv4Destination.offset : kIpv6DestinationOffset);
  for (const PathBox& path : BoxesOf(facts, family, {.pin_ipv6 = true, .handful = kHandful})) {
    PrefixBox box{.box = path.box, .source = {}, .destination = {}};
    TakePrefix(source, box.box.source_address, box.source);
    TakePrefix(destination, box.box.destination_address, box.destination);
    found.insert(box);
  }
}

/// Whether `outer` leaves at least what `inner` does of one side.
bool Allows(const std::optional<Prefix>& outer, const std::optional<IpAddress>& inner_address,
            const std::optional<Prefix>& inner_prefix) {
  if (!outer) return true;
  if (inner_address) return Contains(*outer, *inner_address);
  return inner_prefix && Contains(*outer, *inner_prefix);
}

bool IsInside(const PrefixBox& inner, const PrefixBox& outer) {
  return IsInside(inner.box, outer.box) &&
         Allows(outer.source, inner.box.source_address, inner.source) &&
         Allows(outer.destination, inner.box.destination_address, inner.destination);
}

std::vector<PrefixBox> Simplify(const std::set<PrefixBox>& found) {
  std::map<std::pair<std::optional<Prefix>, std::optional<Prefix>>, std::vector<Box>> groups;
  for (const PrefixBox& one : found) groups[{one.source, one.destination}].push_back(one.box);
  std::vector<PrefixBox> boxes;
  for (const auto& [prefixes, members] : groups) {
    for (const Box& box : Simplify(members)) {
      boxes.push_back({box, prefixes.first, prefixes.second});
    }
  }
  std::vector<PrefixBox> outermost;
  for (const PrefixBox& one : boxes) {
    const bool inside = std::ranges::any_of(
        boxes, [&](const PrefixBox& other) { return other != one && IsInside(one, other); });
    if (!inside) outermost.push_back(one);
  }
  std::ranges::stable_sort(
      outermost, [](const PrefixBox& a, const PrefixBox& b) { return ComesBefore(a.box, b.box); });
  return outermost;
}

/// Bytes that were read to learn `facts`.
SurelyThere ReadFor(const Facts& facts, IpFamily family) {
  SurelyThere there{.from_start = family == IpFamily::kIpv4 ? kIpv4HeaderBytes : kIpv6HeaderBytes,
                    .behind_header = 0};
  for (const Fact& fact : facts.list()) {
    std::uint32_t& place = fact.window.behind_header ? there.behind_header : there.from_start;
    place = std::max(place, fact.window.offset + fact.window.size);
  }
  return there;
}

}  // namespace

std::optional<IpAddress> ParseIpAddress(const std::string& text) {
  for (const int version : {4, 6}) {
    IpAddress address{.version = version};
    const int family = version == 4 ? AF_INET : AF_INET6;
    if (inet_pton(family, text.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

std::string Prefix::ToString() const {
  return address.ToString() + "/" + std::to_string(bits);
}

Prefix PrefixOf(const IpAddress& address, int bits) {
  Prefix prefix{.address = {.version = address.version}, .bits = bits};
  for (int i = 0; i < bits; i += 8) {
    const int kept = std::min(8, bits - i);
    const auto at = static_cast<std::size_t>(i / 8);
    prefix.address.bytes[at] = static_cast<std::uint8_t>(address.bytes[at] & (0xff << (8 - kept)));
  }
  return prefix;
}

bool Contains(const Prefix& prefix, const IpAddress& address) {
  const auto& wanted = prefix.address.bytes;
  const auto whole = static_cast<std::size_t>(prefix.bits / 8);
  if (address.version != prefix.address.version ||
      !std::equal(wanted.begin(), wanted.begin() + whole, address.bytes.begin())) {
    return false;
  }
  const int rest = prefix.bits % 8;
  return rest == 0 || ((wanted[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

bool Contains(const Prefix& prefix, const Prefix& other) {
  return other.bits >= prefix.bits && Contains(prefix, other.address);
}

std::string PrefixBoxAsFilter(const PrefixBox& box) {
  std::string text;
  const auto add = [&](const std::string& term) {
    if (!term.empty()) text += (text.empty() ? "" : " and ") + term;
  };
  if (box.source) add("src net " + box.source->ToString());
  if (box.destination) add("dst net " + box.destination->ToString());
  add(BoxAsFilter(box.box));
  return text;
}

std::vector<PrefixBox> PrefixBoxes(const CaptureFilter& filter) {
  const std::span<const bpf_insn> program = InstructionsOf(filter);
  if (program.empty() || HasLoops(program)) return {PrefixBox()};
  std::set<PrefixBox> found;
  bool whole = true;
  for (const IpFamily family : kFamilies) {
    const auto take = [&](const Facts& facts) {
      AddPath(facts, family, found);
      return found.size() <= kMostPaths;
    };
    whole = whole && Walk(program, FamilyFacts(family), {}, {.accepts = take, .rejects = {}}) ==
                         WalkEnd::kWhole;
  }
  if (whole && found.empty()) return {PrefixBox()};  // neither IPv4 nor IPv6
  std::vector<PrefixBox> boxes = Simplify(found);
  if (whole && boxes.size() <= kMostPrefixBoxes) return boxes;
  boxes.clear();
  for (const Box& box : MakePlan(filter, {.max_requests = 4, .pin_ipv6 = true}).requests) {
    boxes.push_back({.box = box, .source = {}, .destination = {}});
  }
  return boxes;
}

bool AcceptsAllOf(const CaptureFilter& filter, const PrefixBox& box) {
  if (filter.kind() == CaptureFilter::Kind::kAll) return true;
  const std::span<const bpf_insn> program = InstructionsOf(filter);
  if (program.empty() || HasLoops(program)) return false;
  // There are no names in it that could be looked up.
  const auto compiled = CompileProgram(PrefixBoxAsFilter(box), kLinkTypeRaw);
  if (!compiled) return false;
  const WalkVisitor stop_at_reject{.accepts = {}, .rejects = [](const Facts&) { return false; }};
  return std::ranges::all_of(kFamilies, [&](IpFamily family) {
    const auto accepted = [&](const Facts& facts) {
      return Walk(program, facts, ReadFor(facts, family), stop_at_reject) == WalkEnd::kWhole;
    };
    return Walk(*compiled, FamilyFacts(family), {}, {.accepts = accepted, .rejects = {}}) ==
           WalkEnd::kWhole;
  });
}

}  // namespace cloudflaredump::filter
