// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/link_layer.h"

#include <algorithm>
#include <cstdint>

#include "extcap/filter/symbol.h"

namespace cloudflaredump::filter {
namespace {

/// Moves link-layer headers behind all that an IP packet can have.
constexpr std::uint32_t kFar = 0xff00;

constexpr std::uint32_t kEthernetType = 12;
constexpr std::uint32_t kTypeBytes = 2;
constexpr std::uint32_t kTagBytes = 4;
constexpr std::uint32_t kLabelBytes = 4;
constexpr std::uint32_t kMostTags = 3;
constexpr std::uint32_t kMostLabels = 3;

constexpr std::uint32_t kTypeIpv4 = 0x0800;
constexpr std::uint32_t kTypeIpv6 = 0x86dd;
constexpr std::uint32_t kTypeMpls = 0x8847;
// The types of VLAN tags are 0x8100, 0x88a8 and 0x9100.
constexpr std::uint32_t kFirstTag = 0x8100;
constexpr std::uint32_t kLastTag = 0x9100;

/// Whether the program compares the number at `type_at` with `ether_type`.
bool AsksFor(std::span<const bpf_insn> program, std::uint32_t type_at, std::uint32_t ether_type) {
  const auto has = [&](unsigned code, std::uint32_t k) {
    return std::ranges::any_of(program, [&](const bpf_insn& instruction) {
      return instruction.code == code && instruction.k == k;
    });
  };
  return has(BPF_LD | BPF_H | BPF_ABS, type_at) && has(BPF_JMP | BPF_JEQ | BPF_K, ether_type);
}

std::vector<bpf_insn> SeenFrom(std::uint32_t header, std::span<const bpf_insn> program) {
  std::vector<bpf_insn> seen(program.begin(), program.end());
  for (bpf_insn& instruction : seen) {
    if (!ReadsPacket(instruction)) continue;
    instruction.k = instruction.k < header ? instruction.k + kFar : instruction.k - header;
  }
  return seen;
}

/// Headers in front of an IP header.
struct Headers {
  std::uint32_t tags;
  std::uint32_t labels;
  IpFamily family;

  std::uint32_t type_at() const { return kEthernetType + tags * kTagBytes; }
  std::uint32_t type() const {
    if (labels > 0) return kTypeMpls;
    return family == IpFamily::kIpv4 ? kTypeIpv4 : kTypeIpv6;
  }
  std::uint32_t bytes() const { return type_at() + kTypeBytes + labels * kLabelBytes; }
};

/// The packets that have these headers.
Facts StartBehind(const Headers& headers) {
  Facts start = FamilyFacts(headers.family);
  for (std::uint32_t tag = 0; tag < headers.tags; ++tag) {
    const Window type{false, kFar + kEthernetType + tag * kTagBytes, kTypeBytes};
    start.Add({.window = type, .mask = FullMask(type), .least = kFirstTag, .most = kLastTag});
    for (const std::uint32_t other : {kTypeIpv6, kTypeMpls}) {
      start.Add({.window = type,
                 .mask = FullMask(type),
                 .least = other,
                 .most = other,
                 .excluded = true});
    }
  }
  start.AddEqual({false, kFar + headers.type_at(), kTypeBytes}, headers.type());
  for (std::uint32_t label = 1; label <= headers.labels; ++label) {
    // The bottom of the stack is marked.
    const std::uint32_t at = headers.type_at() + kTypeBytes + label * kLabelBytes - 2;
    const std::uint32_t bottom = label == headers.labels ? 1 : 0;
    start.Add({.window = {false, kFar + at, 1}, .mask = 1, .least = bottom, .most = bottom});
  }
  return start;
}

}  // namespace

std::vector<BehindLinkLayer> FindIpBehindEthernet(std::span<const bpf_insn> program) {
  std::vector<BehindLinkLayer> found;
  for (std::uint32_t tags = 0; tags <= kMostTags; ++tags) {
    for (std::uint32_t labels = 0; labels <= kMostLabels; ++labels) {
      for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
        const Headers headers{tags, labels, family};
        const bool asked = AsksFor(program, headers.type_at(), headers.type());
        if (tags + labels > 0 && !asked) continue;
        found.push_back({SeenFrom(headers.bytes(), program), family, StartBehind(headers)});
      }
    }
  }
  return found;
}

}  // namespace cloudflaredump::filter
