// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/filter_case.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "extcap/filter/cut_packet.h"
#include "extcap/filter/duplicate_filter.h"
#include "extcap/filter/link_type.h"
#include "extcap/filter/path_box.h"
#include "extcap/filter/walk.h"

namespace cloudflaredump {
namespace {

bool Accepts(const filter::CaptureFilter& filter, const std::vector<std::byte>& bytes) {
  const auto size = static_cast<bpf_u_int32>(bytes.size());
  const std::span<const bpf_insn> program(filter.program()->bf_insns, filter.program()->bf_len);
  // libpcap's interpreter need not come back from a loop: where ours gives up, there is no answer.
  if (filter::HasLoops(program) &&
      filter::RunOnCutPacket({program.begin(), program.end()}, bytes, size) ==
          filter::FilterAnswer::kUndecided) {
    return false;
  }
  const pcap_pkthdr header = {.ts = {}, .caplen = size, .len = size};
  return pcap_offline_filter(filter.program(), &header,
                             reinterpret_cast<const u_char*>(bytes.data())) != 0;
}

std::string Hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string Written(const std::vector<filter::Box>& boxes) {
  std::string text;
  for (const filter::Box& box : boxes) text += "[" + filter::BoxAsFilter(box) + "]";
  return text;
}

double CostOf(const filter::Box& box) {
  return std::exp2(-filter::PinnedBits(box));
}

double CostOf(const std::vector<filter::Box>& boxes) {
  double cost = 0;
  for (const filter::Box& box : boxes) cost += CostOf(box);
  return cost;
}

/// `box` with those fields left out whose bit is not in `fields`.
filter::Box Keep(filter::Box box, unsigned fields) {
  filter::ForEachField([&](auto field) {
    if ((fields & 1) == 0) (box.*field).reset();
    fields >>= 1;
  });
  return box;
}

/// The least cost of at most `most` (1 or 2) boxes that hold all of `packets`. One of them holds
/// the first packet, so it pins some of that packet's fields; the other is the tightest for the
/// rest.
double BestCost(const std::vector<filter::Box>& packets, int most) {
  double best = 1;
  for (unsigned fields = 0; fields < 32; ++fields) {
    const filter::Box frame = Keep(packets.front(), fields);
    filter::Box first = packets.front();
    std::optional<filter::Box> second;
    for (const filter::Box& packet : packets) {
      if (filter::IsInside(packet, frame)) {
        first = filter::Join(first, packet);
      } else {
        second = second ? filter::Join(*second, packet) : packet;
      }
    }
    if (second && most == 1) continue;
    best = std::min(best, CostOf(first) + (second ? CostOf(*second) : 0));
  }
  return best;
}

/// The same packet behind a link-layer header.
struct Framed {
  std::uint32_t link_type;
  std::vector<std::byte> bytes;
};

/// An empty prefix, padded, then the payload, in either byte order.
std::vector<std::byte> NflogHeader(bool ipv6, bool big) {
  std::vector<std::byte> bytes = {std::byte(ipv6 ? 10 : 2), std::byte(0), std::byte(0),
                                  std::byte(0)};
  for (const unsigned number : {5U, 10U, 0U, 0U, 1500U, 9U}) {
    bytes.push_back(static_cast<std::byte>(big ? number >> 8 : number));
    bytes.push_back(static_cast<std::byte>(big ? number : number >> 8));
  }
  return bytes;
}

Framed Frame(const BuiltPacket& packet, Random& random) {
  const bool ipv6 = packet.source.version == 6;
  const std::byte type[] = {std::byte(ipv6 ? 0x86 : 0x08), std::byte(ipv6 ? 0xdd : 0x00)};
  Framed framed{filter::kLinkTypeRaw, {}};
  auto& bytes = framed.bytes;
  switch (Below(random, 5)) {
    case 0:
      framed.link_type = filter::kLinkTypeEthernet;
      bytes.resize(12);
      for (unsigned tags = Below(random, 3); tags > 0; --tags) {
        bytes.insert(bytes.end(), {std::byte(0x81), std::byte(0), std::byte(0), std::byte(9)});
      }
      bytes.insert(bytes.end(), std::begin(type), std::end(type));
      break;
    case 1:
      framed.link_type = filter::kLinkTypeLinuxSll;
      bytes.resize(14);
      bytes.insert(bytes.end(), std::begin(type), std::end(type));
      break;
    case 2:
      framed.link_type = filter::kLinkTypeLinuxSll2;
      bytes.insert(bytes.end(), std::begin(type), std::end(type));
      bytes.resize(20);
      break;
    case 3:
      framed.link_type = filter::kLinkTypeNflog;
      bytes = NflogHeader(ipv6, Below(random, 2) == 0);
      break;
    default:
      break;
  }
  bytes.insert(bytes.end(), packet.bytes.begin(), packet.bytes.end());
  return framed;
}

bool AnyHolds(const std::vector<filter::Box>& boxes, const BuiltPacket& packet) {
  return std::ranges::any_of(boxes, [&](const filter::Box& box) { return Holds(box, packet); });
}

}  // namespace

FilterCase::FilterCase(std::uint64_t seed, std::string repeat, filter::CaptureFilter filter,
                       FilterTotals& totals)
    : random_(seed ^ 0x9e3779b97f4a7c15),
      repeat_(std::move(repeat)),
      filter_(std::move(filter)),
      totals_(totals) {
  options_ = {.max_requests = 1 + static_cast<int>(Below(random_, 4)),
              .pin_ipv6 = Below(random_, 2) == 0};
  plan_ = filter::MakePlan(filter_, options_);
  ++totals_.filters;
  totals_.exact += plan_.exact ? 1 : 0;
  words_ = WordsOf(filter_.text());
  JoinAllPaths();
}

void FilterCase::Violation(const char* what, const BuiltPacket& packet) {
  ++totals_.violations;
  std::printf(
      "VIOLATION: %s\n  repeat with: %s\n  filter: %s\n  N=%d%s%s\n  requests: %s\n  packet: %s\n",
      what, repeat_.c_str(), filter_.text().c_str(), options_.max_requests,
      options_.pin_ipv6 ? ", IPv6 addresses pinned" : "", plan_.exact ? ", exact" : "",
      Written(plan_.requests).c_str(), Hex(packet.bytes).c_str());
}

void FilterCase::JoinAllPaths() {
  const std::span<const bpf_insn> program(filter_.program()->bf_insns, filter_.program()->bf_len);
  if (filter::HasLoops(program)) {
    joined_.emplace_back();
    return;
  }
  for (const filter::IpFamily family : {filter::IpFamily::kIpv4, filter::IpFamily::kIpv6}) {
    const auto facts = filter::JoinPaths(program, filter::FamilyFacts(family));
    if (!facts) continue;
    for (const filter::PathBox& path :
         filter::BoxesOf(*facts, family, {.pin_ipv6 = options_.pin_ipv6})) {
      joined_.push_back(path.box);
    }
  }
}

bool FilterCase::Check(const BuiltPacket& packet) {
  ++totals_.pairs;
  const bool accepted = Accepts(filter_, packet.bytes);
  totals_.accepted += accepted ? 1 : 0;
  const bool held = AnyHolds(plan_.requests, packet);
  if (accepted && !held) Violation("accepted, but no request holds it", packet);
  if (accepted && !AnyHolds(joined_, packet)) Violation("lost by the joining pass", packet);
  if (plan_.exact && held && !accepted) Violation("held by an exact plan, but rejected", packet);
  CheckDelivery(packet, accepted);
  return accepted;
}

/// What the requests return, tested and merged, is each accepted packet once.
void FilterCase::CheckDelivery(const BuiltPacket& packet, bool accepted) {
  const Framed framed = Frame(packet, random_);
  const auto residual = filter::Residual::Make(filter_, framed.link_type);
  const auto length = static_cast<std::uint32_t>(framed.bytes.size());
  filter::DuplicateFilter duplicates;
  int delivered = 0;
  for (std::size_t i = 0; i < plan_.requests.size(); ++i) {
    if (!Holds(plan_.requests[i], packet)) continue;
    if (residual->Test(framed.bytes, length) != filter::FilterAnswer::kMatches) continue;
    delivered += duplicates.Take(i, 0, length, framed.bytes) ? 1 : 0;
  }
  if (delivered != (accepted ? 1 : 0)) Violation("not delivered exactly if accepted", packet);
  CheckCut(packet, framed.bytes, *residual, accepted);
}

void FilterCase::CheckCut(const BuiltPacket& packet, std::span<const std::byte> framed,
                          const filter::Residual& residual, bool accepted) {
  const auto length = static_cast<std::uint32_t>(framed.size());
  const std::size_t cut = Below(random_, 2) == 0 ? 160 : Below(random_, 80);
  if (cut >= length) return;
  const filter::FilterAnswer answer = residual.Test(framed.first(cut), length);
  const bool undecided = answer == filter::FilterAnswer::kUndecided;
  (undecided ? totals_.undecided : totals_.definite_though_cut)++;
  if (!undecided && (answer == filter::FilterAnswer::kMatches) != accepted) {
    Violation("the cut packet got another answer", packet);
  }
}

void FilterCase::Search(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const bool mutate = !accepted_.empty() && Below(random_, 2) == 0;
    const auto any = Below(random_, static_cast<std::uint32_t>(accepted_.size() + 1));
    const PacketPlan plan = mutate ? Mutated(accepted_[any % accepted_.size()], random_, words_)
                                   : RandomPacketPlan(random_, words_);
    if (Check(Build(plan))) accepted_.push_back(plan);
  }
}

void FilterCase::CompareWithBest() {
  constexpr std::size_t kEnough = 150;
  constexpr int kMoreRounds = 5;
  if (accepted_.size() < kEnough) return;
  for (const int n : {1, 2}) {
    const filter::Plan plan =
        filter::MakePlan(filter_, {.max_requests = n, .pin_ipv6 = options_.pin_ipv6});
    const double cost = CostOf(plan.requests);
    bool equal = cost <= BestCost(AcceptedBoxes(), n);
    for (int round = 0; round < kMoreRounds && !equal; ++round) {
      Search(2000);
      equal = cost <= BestCost(AcceptedBoxes(), n);
    }
    ++totals_.compared[n];
    totals_.best[n] += equal ? 1 : 0;
    if (!equal && totals_.print_loose) {
      std::printf("not the best (N=%d, %s): %s\n  %s\n", n, repeat_.c_str(), filter_.text().c_str(),
                  Written(plan.requests).c_str());
    }
  }
}

std::vector<filter::Box> FilterCase::AcceptedBoxes() const {
  std::vector<filter::Box> boxes;
  boxes.reserve(accepted_.size());
  for (const PacketPlan& plan : accepted_) {
    boxes.push_back(TightestBox(Build(plan), options_.pin_ipv6));
  }
  return boxes;
}

void Print(const FilterTotals& totals) {
  const auto number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
  std::printf(
      "%llu filters (%llu more refused by libpcap), %llu exact; %llu pairs, %llu accepted\n",
      number(totals.filters), number(totals.refused), number(totals.exact), number(totals.pairs),
      number(totals.accepted));
  std::printf("cut packets: %llu answered, %llu undecided\n", number(totals.definite_though_cut),
              number(totals.undecided));
  for (const int n : {1, 2}) {
    if (totals.compared[n] == 0) continue;
    std::printf(
        "N=%d: as good as the best plan for %llu of %llu filters (%.2f%%)\n", n,
        number(totals.best[n]), number(totals.compared[n]),
        100.0 * static_cast<double>(totals.best[n]) / static_cast<double>(totals.compared[n]));
  }
  std::printf("violations: %llu\n", number(totals.violations));
}

}  // namespace cloudflaredump
