// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "common/text.h"
#include "extcap/compare/causes.h"

namespace cloudflaredump::compare {
namespace {

const char* NameOfProtocol(std::uint32_t protocol) {
  switch (protocol) {
    case kIcmp:
      return " (ICMP)";
    case filter::kProtocolTcp:
      return " (TCP)";
    case filter::kProtocolUdp:
      return " (UDP)";
    case kGre:
      return " (GRE)";
    case kEsp:
      return " (ESP)";
    case kIcmpv6:
      return " (ICMPv6)";
    case filter::kProtocolSctp:
      return " (SCTP)";
    default:
      return "";
  }
}

}  // namespace

struct ValueCauses::Field {
  const char* kind;
  int rank;
  std::function<std::uint32_t(const CloudPacket&)> key;  ///< kNone: the packet has none
  std::function<std::string(std::uint32_t)> value;
  const char* sentence;  ///< with the value and the counts
};

std::uint32_t ValueCauses::Names::NumberOf(const std::string& name) {
  if (name.empty()) return kNone;
  const auto [at, added] = numbers.try_emplace(name, static_cast<std::uint32_t>(list.size()));
  if (added) list.push_back(name);
  return at->second;
}

ValueCauses::ValueCauses(const Comparison& comparison) : cloud_(comparison.cloud) {
  for (const IpAddress& address : cloud_.addresses()) {
    prefix_of_.push_back(
        prefixes_.NumberOf(filter::PrefixOf(address, address.version == 4 ? 24 : 64).ToString()));
  }
  for (const CaptureDescription& d : cloud_.descriptions()) {
    colo_of_.push_back(colos_.NumberOf(d.colo.value_or("")));
    file_of_.push_back(files_.NumberOf(d.object ? *d.object
                                       : d.file ? "file " + std::to_string(*d.file)
                                                : std::string()));
  }
}

std::vector<ValueCauses::Field> ValueCauses::Fields() const {
  const auto address = [this](std::uint32_t n) { return cloud_.addresses()[n].ToString(); };
  const auto prefix = [this](std::uint32_t n) { return prefixes_.list[n]; };
  const auto digits = [](std::uint32_t n) { return std::to_string(n); };
  return {
      {"destination", 10, [](auto& p) { return p.destination; }, address,
       "Packets to %s are missing: %s, %s of the others."},
      {"source", 11, [](auto& p) { return p.source; }, address,
       "Packets from %s are missing: %s, %s of the others."},
      {"destination", 12, [this](auto& p) { return prefix_of_[p.destination]; }, prefix,
       "Packets to the network %s are missing: %s, %s of the others."},
      {"source", 13, [this](auto& p) { return prefix_of_[p.source]; }, prefix,
       "Packets from the network %s are missing: %s, %s of the others."},
      {"destination_port", 14,
       [](auto& p) { return p.has_ports ? std::uint32_t{p.destination_port} : kNone; }, digits,
       "Packets to port %s are missing: %s, %s of the others."},
      {"source_port", 15,
       [](auto& p) { return p.has_ports ? std::uint32_t{p.source_port} : kNone; }, digits,
       "Packets from port %s are missing: %s, %s of the others."},
      {"protocol", 16, [](auto& p) { return std::uint32_t{p.protocol}; }, digits,
       "Packets of IP protocol %s are missing: %s, %s of the others."},
      {"dscp", 17, [](auto& p) { return std::uint32_t{p.dscp}; }, digits,
       "Packets with DSCP %s are missing: %s, %s of the others."},
      {"colo", 18, [this](auto& p) { return colo_of_[p.interface]; },
       [this](std::uint32_t n) { return colos_.list[n]; },
       "Packets that Cloudflare saw at its data center %s are missing: %s, %s of the others."},
      {"file", 19, [this](auto& p) { return file_of_[p.interface]; },
       [this](std::uint32_t n) { return files_.list[n]; },
       "Packets of Cloudflare's file %s, one of its machines, are missing: %s, %s of the "
       "others."},
  };
}

std::vector<Cause> ValueCauses::Find(const Losses& losses) const {
  std::vector<Cause> causes;
  for (const Field& field : Fields()) {
    if (auto cause = Best(losses, field)) causes.push_back(*std::move(cause));
  }
  return causes;
}

std::optional<Cause> ValueCauses::Best(const Losses& losses, const Field& field) const {
  std::vector<Counts> counts;
  for (const std::uint32_t i : losses.packets()) {
    const std::uint32_t key = field.key(losses.At(i));
    if (key == kNone) continue;
    if (key >= counts.size()) counts.resize(std::max<std::size_t>(key + 1, 2 * counts.size()));
    counts[key].Add(losses.IsMissing(i));
  }
  const auto looks = static_cast<double>(
      std::ranges::count_if(counts, [](const Counts& v) { return v.all >= 2; }));
  std::optional<std::uint32_t> best;
  double best_gain = 0;
  for (std::uint32_t key = 0; key < counts.size(); ++key) {
    const Counts& some = counts[key];
    if (some.missing < 2 || some.all == losses.all().all) continue;
    const double gain = Gain(losses.all(), some);
    if (gain > best_gain && losses.IsSignificant(some, looks)) {
      best = key;
      best_gain = gain;
    }
  }
  if (!best) return std::nullopt;
  const Counts& some = counts[*best];
  const std::string value = field.value(*best);
  std::string shown = CleanLine(value, 100);
  if (std::string_view(field.kind) == "protocol") shown += NameOfProtocol(*best);
  Cause cause{.gain = best_gain, .rank = field.rank};
  cause.finding = {.kind = field.kind,
                   .text = Format(field.sentence, shown.c_str(), some.Text().c_str(),
                                  losses.all().Without(some).RateText().c_str()),
                   .value = value,
                   .lost = some.missing,
                   .of = some.all};
  cause.holds = [&packets = cloud_.packets(), key = field.key, of = *best](std::uint32_t i) {
    return key(packets[i]) == of;
  };
  return cause;
}

}  // namespace cloudflaredump::compare
