// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/comparison.h"

namespace cloudflaredump::compare {
namespace {

/// The share of wrong causes that is accepted, over all that is looked at together.
constexpr double kSignificance = 0.01;
/// Those of Fields(), and Fragment, Size, Time and Flow.
constexpr double kKinds = 14;
constexpr std::size_t kMostCauses = 4;
/// A cause explains at least this share of what is missing.
constexpr double kLeastShare = 0.05;
/// Causes whose explanations are this close are told by the order of their kinds.
constexpr double kTie = 0.97;

using Packets = std::vector<std::uint32_t>;

struct Counts {
  std::uint64_t all = 0, missing = 0;
  double Rate() const {
    return all == 0 ? 0 : static_cast<double>(missing) / static_cast<double>(all);
  }
};

/// Something that some packets have in common.
struct Cause {
  Finding finding{};
  double gain = 0;
  int rank = 0;  ///< of its kind: lower ones are told first
  std::function<bool(std::uint32_t)> holds{};
};

std::string Percent(double share) {
  return Format(share < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share);
}

std::string Of(const Counts& counts) {
  return WithThousands(counts.missing) + " of " + CountedPackets(counts.all);
}

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

std::string TimeText(std::int64_t time) {
  // To the microsecond.
  return FormatRfc3339(WallTime(Duration(time / 1000 * 1000)));
}

class CauseSearch {
 public:
  explicit CauseSearch(const Comparison& comparison) : c_(comparison) { PreparePrefixes(); }

  std::vector<Finding> Run() {
    Packets active;
    for (std::uint32_t i = 0; i < c_.results.size(); ++i) {
      const Fate fate = c_.results[i].fate;
      if (fate == Fate::kMissing || HasArrived(fate)) active.push_back(i);
    }
    std::vector<Finding> findings;
    first_total_ = Count(active);
    while (findings.size() < kMostCauses) {
      const auto cause = Best(active);
      if (!cause) break;
      findings.push_back(cause->finding);
      Packets inside;
      Packets outside;
      for (const std::uint32_t i : active) (cause->holds(i) ? inside : outside).push_back(i);
      // Within a cause that does not explain all by itself there may be a limit of size.
      if (cause->finding.kind != "size" && cause->finding.kind != "flow") {
        if (auto limit = Size(inside, Count(inside));
            limit && cause->finding.lost < cause->finding.of) {
          limit->finding.text = "Among these: " + limit->finding.text;
          findings.push_back(limit->finding);
        }
      }
      active = std::move(outside);
    }
    return findings;
  }

 private:
  bool IsMissing(std::uint32_t i) const { return c_.results[i].fate == Fate::kMissing; }
  const CloudPacket& At(std::uint32_t i) const { return c_.cloud.packets()[i]; }

  Counts Count(const Packets& packets) const {
    Counts counts{.all = packets.size()};
    for (const std::uint32_t i : packets) counts.missing += IsMissing(i) ? 1 : 0;
    return counts;
  }

  static Counts Without(const Counts& all, const Counts& some) {
    return {.all = all.all - some.all, .missing = all.missing - some.missing};
  }

  /// Whether `some` of `all` are missing so much more often that chance is no explanation, when
  /// `looks` such sets are looked at.
  bool IsSignificant(const Counts& all, const Counts& some, double looks) const {
    const Counts rest = Without(all, some);
    if (some.missing < 2 || rest.all == 0 || some.Rate() < 1.5 * rest.Rate()) return false;
    const double excess =
        static_cast<double>(some.missing) - static_cast<double>(some.all) * rest.Rate();
    if (excess < kLeastShare * static_cast<double>(first_total_.missing) || excess < 2) {
      return false;
    }
    return ChanceOfAsMany(all.all, all.missing, some.all, some.missing) <
           kSignificance / kKinds / std::max(looks, 1.0);
  }

  static double Gain(const Counts& all, const Counts& some) {
    return LogGain(static_cast<double>(all.all), static_cast<double>(all.missing),
                   static_cast<double>(some.all), static_cast<double>(some.missing));
  }

  std::optional<Cause> Best(const Packets& active) {
    const Counts all = Count(active);
    if (all.missing < 2 || all.missing == all.all) return std::nullopt;
    std::vector<Cause> causes;
    const auto add = [&causes](std::optional<Cause> cause) {
      if (cause) causes.push_back(*std::move(cause));
    };
    add(Fragment(active, all));
    add(Size(active, all));
    AddValues(active, all, causes);
    add(Time(active, all));
    add(Flow(active, all));
    if (causes.empty()) return std::nullopt;
    double most = 0;
    for (const Cause& cause : causes) most = std::max(most, cause.gain);
    const Cause* best = nullptr;
    for (const Cause& cause : causes) {
      if (cause.gain < kTie * most) continue;
      if (best == nullptr || cause.rank < best->rank) best = &cause;
    }
    return *best;
  }

  // ---- one value of a field: an address, a port, a data center …

  struct Field {
    const char* kind;
    int rank;
    std::function<std::uint32_t(std::uint32_t)> key;  ///< kNone: the packet has none
    std::function<std::string(std::uint32_t)> value;
    const char* sentence;  ///< with the value and the counts
  };

  void PreparePrefixes() {
    std::unordered_map<std::string, std::uint32_t> known;
    for (const IpAddress& address : c_.cloud.addresses()) {
      const std::string text = filter::PrefixOf(address, address.version == 4 ? 24 : 64).ToString();
      const auto [at, added] =
          known.try_emplace(text, static_cast<std::uint32_t>(prefix_names_.size()));
      if (added) prefix_names_.push_back(text);
      prefix_of_.push_back(at->second);
    }
    std::map<std::string, std::uint32_t> colos;
    std::map<std::string, std::uint32_t> files;
    const auto number = [](std::map<std::string, std::uint32_t>& names,
                           std::vector<std::string>& list, const std::string& name) {
      if (name.empty()) return kNone;
      const auto [at, added] = names.try_emplace(name, static_cast<std::uint32_t>(list.size()));
      if (added) list.push_back(name);
      return at->second;
    };
    for (const CaptureDescription& d : c_.cloud.descriptions()) {
      colo_of_.push_back(number(colos, colo_names_, d.colo.value_or("")));
      const std::string file = d.object ? *d.object
                               : d.file ? "file " + std::to_string(*d.file)
                                        : std::string();
      file_of_.push_back(number(files, file_names_, file));
    }
  }

  std::vector<Field> Fields() const {
    const auto address = [this](std::uint32_t n) { return c_.cloud.addresses()[n].ToString(); };
    const auto prefix = [this](std::uint32_t n) { return prefix_names_[n]; };
    const auto digits = [](std::uint32_t n) { return std::to_string(n); };
    return {
        {"destination", 10, [this](auto i) { return At(i).destination; }, address,
         "Packets to %s are missing: %s, %s of the others."},
        {"source", 11, [this](auto i) { return At(i).source; }, address,
         "Packets from %s are missing: %s, %s of the others."},
        {"destination", 12, [this](auto i) { return prefix_of_[At(i).destination]; }, prefix,
         "Packets to the network %s are missing: %s, %s of the others."},
        {"source", 13, [this](auto i) { return prefix_of_[At(i).source]; }, prefix,
         "Packets from the network %s are missing: %s, %s of the others."},
        {"destination_port", 14,
         [this](auto i) { return At(i).has_ports ? At(i).destination_port : kNone; }, digits,
         "Packets to port %s are missing: %s, %s of the others."},
        {"source_port", 15, [this](auto i) { return At(i).has_ports ? At(i).source_port : kNone; },
         digits, "Packets from port %s are missing: %s, %s of the others."},
        {"protocol", 16, [this](auto i) { return std::uint32_t{At(i).protocol}; }, digits,
         "Packets of IP protocol %s are missing: %s, %s of the others."},
        {"dscp", 17, [this](auto i) { return std::uint32_t{At(i).dscp}; }, digits,
         "Packets with DSCP %s are missing: %s, %s of the others."},
        {"colo", 18, [this](auto i) { return colo_of_[At(i).interface]; },
         [this](std::uint32_t n) { return colo_names_[n]; },
         "Packets that Cloudflare saw at its data center %s are missing: %s, %s of the others."},
        {"file", 19, [this](auto i) { return file_of_[At(i).interface]; },
         [this](std::uint32_t n) { return file_names_[n]; },
         "Packets of Cloudflare's file %s, one of its machines, are missing: %s, %s of the "
         "others."},
    };
  }

  void AddValues(const Packets& active, const Counts& all, std::vector<Cause>& causes) const {
    std::vector<Counts> counts;
    for (const Field& field : Fields()) {
      counts.clear();
      for (const std::uint32_t i : active) {
        const std::uint32_t key = field.key(i);
        if (key == kNone) continue;
        if (key >= counts.size()) counts.resize(std::max<std::size_t>(key + 1, 2 * counts.size()));
        ++counts[key].all;
        counts[key].missing += IsMissing(i) ? 1 : 0;
      }
      const auto looks = static_cast<double>(
          std::ranges::count_if(counts, [](const Counts& v) { return v.all >= 2; }));
      std::optional<std::uint32_t> best;
      double best_gain = 0;
      for (std::uint32_t key = 0; key < counts.size(); ++key) {
        const Counts& some = counts[key];
        if (some.missing < 2 || some.all == all.all) continue;
        const double gain = Gain(all, some);
        if (gain > best_gain && IsSignificant(all, some, looks)) {
          best = key;
          best_gain = gain;
        }
      }
      if (!best) continue;
      const Counts some = counts[*best];
      Cause cause{.gain = best_gain, .rank = field.rank};
      std::string value = field.value(*best);
      std::string shown = CleanLine(value, 100);
      if (std::string_view(field.kind) == "protocol") shown += NameOfProtocol(*best);
      cause.finding = {.kind = field.kind,
                       .text = Format(field.sentence, shown.c_str(), Of(some).c_str(),
                                      Percent(Without(all, some).Rate()).c_str()),
                       .value = std::move(value),
                       .lost = some.missing,
                       .of = some.all};
      cause.holds = [key = field.key, value_of = *best](std::uint32_t i) {
        return key(i) == value_of;
      };
      causes.push_back(std::move(cause));
    }
  }

  std::optional<Cause> Fragment(const Packets& active, const Counts& all) const {
    Counts some;
    for (const std::uint32_t i : active) {
      if (!c_.results[i].fragments) continue;
      ++some.all;
      some.missing += IsMissing(i) ? 1 : 0;
    }
    if (!IsSignificant(all, some, 1)) return std::nullopt;
    Cause cause{.gain = Gain(all, some), .rank = 1};
    cause.finding = {
        .kind = "fragment",
        .text = Format("Packets in fragments are missing, whole or in part: %s, %s of the others.",
                       Of(some).c_str(), Percent(Without(all, some).Rate()).c_str()),
        .value = "fragments",
        .lost = some.missing,
        .of = some.all};
    cause.holds = [this](std::uint32_t i) { return c_.results[i].fragments; };
    return cause;
  }

  // ---- size

  std::optional<Cause> Size(const Packets& active, const Counts& all) const {
    if (all.missing < 2 || all.missing == all.all) return std::nullopt;
    std::map<std::uint32_t, Counts> sizes;
    {
      std::vector<Counts> small(65536);
      for (const std::uint32_t i : active) {
        const std::uint32_t size = At(i).size;
        Counts& counts = size < small.size() ? small[size] : sizes[size];
        ++counts.all;
        counts.missing += IsMissing(i) ? 1 : 0;
      }
      for (std::uint32_t size = 0; size < small.size(); ++size) {
        if (small[size].all > 0) sizes[size] = small[size];
      }
    }
    // Looks from the largest size down for the split that explains most.
    const auto looks = static_cast<double>(sizes.size());
    Counts above;
    Counts best;
    double best_gain = 0;
    std::uint32_t smallest_above = 0;
    for (auto at = sizes.rbegin(); at != sizes.rend(); ++at) {
      above.all += at->second.all;
      above.missing += at->second.missing;
      const double gain = Gain(all, above);
      if (gain > best_gain && above.Rate() >= 0.9 && IsSignificant(all, above, looks)) {
        best = above;
        best_gain = gain;
        smallest_above = at->first;
      }
    }
    if (best.missing == 0) return std::nullopt;
    std::uint32_t arrives = 0;
    std::uint32_t missing_from = smallest_above;
    for (const auto& [size, counts] : sizes) {
      if (size < smallest_above && counts.missing < counts.all) arrives = size;
    }
    for (const auto& [size, counts] : sizes) {
      if (size >= smallest_above && counts.missing > 0) {
        missing_from = size;
        break;
      }
    }
    if (arrives == 0) return std::nullopt;
    Cause cause{.gain = best_gain, .rank = 5};
    cause.finding = {.kind = "size",
                     .text = SizeText(active, all, best, arrives, missing_from),
                     .threshold = arrives,
                     .lost = best.missing,
                     .of = best.all};
    cause.holds = [this, smallest_above](std::uint32_t i) { return At(i).size >= smallest_above; };
    return cause;
  }

  std::string SizeText(const Packets& active, const Counts& all, const Counts& above,
                       std::uint32_t arrives, std::uint32_t missing_from) const {
    std::string text = Format(
        "Packets of %s bytes and more are missing (%s, %s of the smaller ones); the largest that "
        "arrived has %s bytes: a limit between %s and %s.",
        WithThousands(missing_from).c_str(), Of(above).c_str(),
        Percent(Without(all, above).Rate()).c_str(), WithThousands(arrives).c_str(),
        WithThousands(arrives).c_str(), WithThousands(missing_from).c_str());
    bool v4 = false;
    bool v6 = false;
    bool do_not_fragment = false;
    bool may_fragment = false;
    std::map<std::uint32_t, std::vector<std::int64_t>> flows;
    for (const std::uint32_t i : active) {
      const CloudPacket& packet = At(i);
      if (packet.size < missing_from || !IsMissing(i)) continue;
      (c_.cloud.addresses()[packet.source].version == 4 ? v4 : v6) = true;
      (packet.do_not_fragment ? do_not_fragment : may_fragment) = true;
      flows[packet.flow].push_back(packet.time);
    }
    std::string mss;
    if (v4) mss = std::to_string(arrives - std::min(arrives, 40U));
    if (v6)
      mss += (mss.empty() ? "" : ", for IPv6 ") + std::to_string(arrives - std::min(arrives, 60U));
    text += " A TCP MSS of " + mss + " or less would fit.";
    for (const LocalResult& local : c_.locals) {
      const std::uint32_t overhead = local.side.gre_overhead;
      if (!local.side.saw_gre || overhead == 0) continue;
      const std::uint32_t fits = 1500 - std::min(1500U, overhead);
      if (arrives <= fits && fits < missing_from) {
        text +=
            Format(" This fits the GRE tunnel in %s: 1,500 less its %u bytes is %s.",
                   CleanLine(local.side.path, 60).c_str(), overhead, WithThousands(fits).c_str());
      }
      break;
    }
    const auto goes_on = [](const auto& flow) {
      return flow.second.size() >= 3 && flow.second.back() - flow.second.front() >= 1'000'000'000;
    };
    if (std::ranges::any_of(flows, goes_on)) {
      text += " Connections go on sending that size: a black hole.";
    } else if (do_not_fragment) {
      text += may_fragment
                  ? " Some of them must not be fragmented, where path MTU discovery may be "
                    "at work."
                  : " They must not be fragmented: path MTU discovery may be at work.";
    }
    return text;
  }

  // ---- time

  struct Stretch {
    std::int64_t begin = 0, end = 0;
    Counts counts{};
    double gain = 0;
  };

  /// The stretch of at most `most` bins between `from` and `to` that explains most.
  Stretch BestStretch(const Packets& active, const Counts& all, std::int64_t from,
                      std::int64_t width, std::size_t bins, std::size_t most) const {
    std::vector<Counts> counts(bins);
    for (const std::uint32_t i : active) {
      const std::int64_t at = At(i).time - from;
      if (at < 0 || at / width >= static_cast<std::int64_t>(bins)) continue;
      Counts& bin = counts[static_cast<std::size_t>(at / width)];
      ++bin.all;
      bin.missing += IsMissing(i) ? 1 : 0;
    }
    Stretch best;
    for (std::size_t begin = 0; begin < bins; ++begin) {
      if (counts[begin].missing == 0) continue;
      Counts some;
      for (std::size_t end = begin; end < std::min(bins, begin + most); ++end) {
        some.all += counts[end].all;
        some.missing += counts[end].missing;
        if (counts[end].missing == 0 || some.all == all.all) continue;
        const double gain = Gain(all, some);
        if (gain <= best.gain || some.Rate() < 2 * Without(all, some).Rate()) continue;
        best = {.begin = from + width * static_cast<std::int64_t>(begin),
                .end = from + width * static_cast<std::int64_t>(end + 1),
                .counts = some,
                .gain = gain};
      }
    }
    return best;
  }

  std::optional<Cause> Time(const Packets& active, const Counts& all) const {
    constexpr std::size_t kBins = 600;
    constexpr std::size_t kMostBins = 150;
    // Where equal packets are many, those called missing are any of them.
    const auto is_unsure = [this](std::uint32_t i) { return IsMissing(i) && c_.results[i].unsure; };
    if (10 * static_cast<std::uint64_t>(std::ranges::count_if(active, is_unsure)) > all.missing) {
      return std::nullopt;
    }
    const std::int64_t from = At(active.front()).time;
    const std::int64_t span = At(active.back()).time - from + 1;
    if (span < 1'000'000'000) return std::nullopt;
    const std::int64_t width = span / kBins + 1;
    Stretch best = BestStretch(active, all, from, width, kBins, kMostBins);
    const auto looks = static_cast<double>(kBins * kMostBins);
    if (best.gain == 0 || !IsSignificant(all, best.counts, looks)) return std::nullopt;
    // Looks closer where the stretch begins and ends.
    const std::int64_t near = best.begin - width;
    const std::int64_t fine = (best.end + width - near) / 400 + 1;
    const Stretch closer = BestStretch(active, all, near, fine, 400, 400);
    if (closer.gain > best.gain) best = closer;
    std::int64_t first = best.end;
    std::int64_t last = best.begin;
    for (const std::uint32_t i : active) {
      if (!IsMissing(i) || At(i).time < best.begin || At(i).time >= best.end) continue;
      first = std::min(first, At(i).time);
      last = std::max(last, At(i).time);
    }
    Cause cause{.gain = best.gain - std::log(looks), .rank = 20};
    cause.finding = {
        .kind = "time",
        .text = Format("Packets between %s and %s (%s s) are missing: %s, %s of the others.",
                       TimeText(first).c_str(), TimeText(last).c_str(),
                       Format("%.2f", static_cast<double>(last - first) / 1e9).c_str(),
                       Of(best.counts).c_str(), Percent(Without(all, best.counts).Rate()).c_str()),
        .value = TimeText(first) + "/" + TimeText(last),
        .lost = best.counts.missing,
        .of = best.counts.all};
    cause.holds = [this, best](std::uint32_t i) {
      return At(i).time >= best.begin && At(i).time < best.end;
    };
    return cause;
  }

  // ---- whole flows

  std::optional<Cause> Flow(const Packets& active, const Counts& all) const {
    std::vector<Counts> flows(c_.cloud.flows());
    for (const std::uint32_t i : active) {
      Counts& flow = flows[At(i).flow];
      ++flow.all;
      flow.missing += IsMissing(i) ? 1 : 0;
    }
    std::uint64_t flow_count = 0;
    std::uint64_t missing_flows = 0;
    std::uint64_t several = 0;          // flows of two packets and more
    std::uint64_t missing_several = 0;  // of these
    Counts several_packets;
    Counts whole;  // packets of missing flows of two and more
    Counts whole_or_single;
    double expected = 0;
    for (const Counts& flow : flows) {
      if (flow.all == 0) continue;
      ++flow_count;
      const bool missing = flow.missing == flow.all;
      missing_flows += missing ? 1 : 0;
      if (missing) {
        whole_or_single.all += flow.all;
        whole_or_single.missing += flow.missing;
      }
      if (flow.all < 2) continue;
      ++several;
      several_packets.all += flow.all;
      several_packets.missing += flow.missing;
      expected += std::pow(all.Rate(), static_cast<double>(flow.all));
      if (!missing) continue;
      ++missing_several;
      whole.all += flow.all;
      whole.missing += flow.missing;
    }
    if (missing_several < 3) return std::nullopt;
    if (PoissonTail(expected, missing_several) >= kSignificance / kKinds) return std::nullopt;
    const Counts rest = Without(several_packets, whole);
    if (rest.all == 0 || rest.Rate() > 0.5 * several_packets.Rate()) return std::nullopt;
    const double flows_choice = std::lgamma(static_cast<double>(several) + 1) -
                                std::lgamma(static_cast<double>(missing_several) + 1) -
                                std::lgamma(static_cast<double>(several - missing_several) + 1);
    const double gain = Gain(several_packets, whole) - flows_choice;
    if (gain <= 0) return std::nullopt;
    Cause cause{.gain = gain, .rank = 30};
    cause.finding = {
        .kind = "flow",
        .text = FlowText(flow_count, missing_flows, Without(all, whole_or_single)),
        .value = std::to_string(missing_flows) + " of " + std::to_string(flow_count) + " flows",
        .lost = missing_flows,
        .of = flow_count};
    auto missing = std::make_shared<std::vector<bool>>(flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i) {
      (*missing)[i] = flows[i].all > 0 && flows[i].missing == flows[i].all;
    }
    cause.holds = [this, missing](std::uint32_t i) { return (*missing)[At(i).flow]; };
    return cause;
  }

  std::string FlowText(std::uint64_t flows, std::uint64_t missing, const Counts& others) const {
    std::string text = Format(
        "%s of %s flows are missing entirely, the others lack %s: fits equal-cost tunnels with one "
        "router (or tunnel) not captured or not passing.",
        WithThousands(missing).c_str(), WithThousands(flows).c_str(),
        Percent(others.Rate()).c_str());
    std::string arrivals;
    std::size_t shown = 0;
    for (const LocalResult& local : c_.locals) {
      for (const Endpoint& endpoint : local.side.endpoints) {
        if (endpoint.arrived == 0 || ++shown > 8) continue;
        arrivals += (arrivals.empty() ? "" : ", ") + endpoint.source.ToString() + " to " +
                    endpoint.destination.ToString() + ": " + WithThousands(endpoint.arrived);
      }
    }
    if (!arrivals.empty()) text += " Arrivals by tunnel: " + arrivals + ".";
    return text;
  }

  const Comparison& c_;
  Counts first_total_{};
  std::vector<std::uint32_t> prefix_of_;
  std::vector<std::string> prefix_names_;
  std::vector<std::uint32_t> colo_of_, file_of_;  ///< by interface; kNone: not known
  std::vector<std::string> colo_names_, file_names_;
};

}  // namespace

std::vector<Finding> FindCauses(const Comparison& comparison) {
  return CauseSearch(comparison).Run();
}

}  // namespace cloudflaredump::compare
