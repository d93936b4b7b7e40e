// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/options.h"

#include <cmath>
#include <map>
#include <memory>

#include "tests/emulator/link_layer.h"
#include "tests/emulator/option_table.h"

namespace cloudflare_emulator {
namespace {

std::vector<std::string> List(char** from) {
  std::vector<std::string> list;
  for (; from && *from; ++from) list.emplace_back(*from);
  return list;
}

std::vector<std::string> CommaList(const char* from) {
  std::vector<std::string> list;
  const std::string text = from ? from : "";
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    list.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

void Take(const char* from, std::string& to) {
  if (from) to = from;
}

/// Reads the raw options one after the other and keeps the first complaint.
class Reader {
 public:
  explicit Reader(const RawOptions& raw) : raw_(raw) {}

  Options Read();
  const std::string& problem() const { return problem_; }

 private:
  void Complain(std::string sentence) {
    if (problem_.empty()) problem_ = std::move(sentence);
  }

  /// The value that `choices` has for `text`, `fallback` if it is not given.
  template <class T>
  T Choose(const char* option, const char* text, const std::map<std::string, T>& choices,
           T fallback) {
    if (!text) return fallback;
    const auto found = choices.find(text);
    if (found != choices.end()) return found->second;
    std::string names;
    for (const auto& choice : choices) names += (names.empty() ? "" : ", ") + choice.first;
    Complain(Text("%s takes one of %s, not \"%s\".", option, names.c_str(), text));
    return fallback;
  }

  double AtLeast(const char* option, double value, double least) {
    if (std::isfinite(value) && value >= least) return value;
    Complain(Text("%s must be a number from %g on.", option, least));
    return least;
  }

  std::uint32_t LinkType(const char* option, const std::string& text) {
    for (const std::uint32_t known : {kEthernet, kRaw, kSll, kIpv4, kIpv6, kNflog, kSll2}) {
      if (text == std::to_string(known)) return known;
    }
    Complain(Text("%s %s is none of 1, 101, 113, 228, 229, 239 and 276.", option, text.c_str()));
    return kRaw;
  }

  void ReadListen(ListenOptions& options);
  void ReadAccess(AccessOptions& options);
  void ReadPackets(PacketOptions& options);
  void ReadCaptures(CaptureOptions& options);
  void ReadParts(PartOptions& options);
  void ReadPlaces(PlaceOptions& options);
  void ReadAnalytics(AnalyticsOptions& options);
  void ReadAnswers(AnswerOptions& options);
  std::vector<PacketRule> Rules(const char* option, char** texts);
  void ReadRouters(RouterOptions& options);

  const RawOptions& raw_;
  std::string problem_;
};

void Reader::ReadListen(ListenOptions& options) {
  constexpr char kShape[] = R"((127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d{1,5}))";
  if (!raw_.listen) return;
  const auto match = MatchWhole(kShape, raw_.listen);
  if (!match || std::stoi(match->at(2)) > 65535) {
    Complain(
        Text("--listen %s is not a loopback address with a port, such as 127.0.0.1:0; the "
             "emulator serves no other.",
             raw_.listen));
    return;
  }
  options.host = match->at(1) == "localhost" ? "127.0.0.1" : match->at(1);
  options.port = static_cast<std::uint16_t>(std::stoi(match->at(2)));
}

void Reader::ReadAccess(AccessOptions& options) {
  Take(raw_.account, options.account);
  Take(raw_.token, options.token);
  Take(raw_.read_token, options.read_token);
  Take(raw_.email, options.email);
  Take(raw_.key, options.key);
}

void Reader::ReadPackets(PacketOptions& options) {
  options.files = List(raw_.packets);
  const std::vector<std::string> more = List(raw_.more_packets);
  if (options.files.empty() && !more.empty()) {
    Complain(Text("\"%s\" belongs to no option.", more.front().c_str()));
  }
  options.files.insert(options.files.end(), more.begin(), more.end());
  options.rebase = raw_.rebase;
  if (options.rebase && options.files.empty()) {
    Complain("--rebase needs --packets: made-up traffic is always of the last 24 hours.");
  }
  options.seed = static_cast<std::uint64_t>(raw_.seed);
  if (raw_.link_type != -1) {
    options.link_type = LinkType("--linktype", std::to_string(raw_.link_type));
  }
  if (raw_.magic) {
    options.nanoseconds = Choose<bool>("--magic", raw_.magic, {{"us", false}, {"ns", true}}, false);
  }
  options.big_endian = raw_.big_endian;
  Take(raw_.serve_as_is, options.serve_as_is);
  options.window_ends = Choose<WindowEnds>("--window-ends", raw_.window_ends,
                                           {{"closed", WindowEnds::kClosed},
                                            {"open-start", WindowEnds::kOpenStart},
                                            {"open-end", WindowEnds::kOpenEnd}},
                                           WindowEnds::kClosed);
}

void Reader::ReadCaptures(CaptureOptions& options) {
  constexpr double kSlowest = 0.001;
  options.sample_interval = AtLeast("--sample-interval", raw_.sample_interval, 0);
  options.job_seconds = AtLeast("--job-seconds", raw_.job_seconds, 0);
  options.late = AtLeast("--late", raw_.late, 0);
  options.others = AtLeast("--others", raw_.others, 0);
  options.speed = AtLeast("--speed", raw_.speed, kSlowest);
  Take(raw_.job_result, options.job_result);
  Take(raw_.no_packets_result, options.no_packets_result);
  Take(raw_.trace_colo, options.trace_colo);
  options.registered = List(raw_.registered);
  options.newest_first =
      Choose<bool>("--list-order", raw_.list_order, {{"newest", true}, {"oldest", false}}, true);
  options.filter_ipv6 =
      Choose<bool>("--filter-ipv6", raw_.filter_ipv6, {{"on", true}, {"off", false}}, true);
  options.colo_field = Choose<ColoField>(
      "--colo-field", raw_.colo_field,
      {{"colo_name", ColoField::kColoName}, {"colo", ColoField::kColo}, {"both", ColoField::kBoth}},
      ColoField::kColoName);
  options.colo_strict = raw_.colo_strict;
  options.show_keys = raw_.show_keys;
}

void Reader::ReadParts(PartOptions& options) {
  constexpr double kMostParts = 100000;
  options.count = static_cast<std::size_t>(AtLeast("--parts", raw_.parts, 1));
  if (static_cast<double>(options.count) > kMostParts) Complain("--parts takes at most 100000.");
  Take(raw_.part_name, options.name);
  const bool tells_apart =
      options.count == 1 || options.name.find("{machine}") != options.name.npos;
  if (options.name.find("{id}") == std::string::npos || !tells_apart) {
    Complain("--part-name must contain {id} and, for more than one part, {machine}.");
  }
  for (const std::string& text : CommaList(raw_.part_linktypes)) {
    options.link_types.push_back(LinkType("--part-linktypes", text));
  }
  for (const std::string& text : CommaList(raw_.part_magics)) {
    options.magics.push_back(Choose<PartMagic>("--part-magics", text.c_str(),
                                               {{"us", {false, false}},
                                                {"ns", {true, false}},
                                                {"us-be", {false, true}},
                                                {"ns-be", {true, true}}},
                                               PartMagic{}));
  }
  options.skewed =
      Choose<bool>("--part-sizes", raw_.part_sizes, {{"even", false}, {"skewed", true}}, false);
  options.late = static_cast<std::size_t>(AtLeast("--late-parts", raw_.late_parts, 0));
  options.late_seconds = AtLeast("--late-seconds", raw_.late_seconds, 0);
  options.empty = raw_.empty_part;
  options.zero = raw_.zero_part;
  options.not_pcap = raw_.not_pcap_part;
  options.damaged = raw_.damaged_part;
  options.garbled = raw_.garbled_part;
}

std::vector<PacketRule> Reader::Rules(const char* option, char** texts) {
  std::vector<PacketRule> rules;
  for (const std::string& text : List(texts)) {
    auto rule = ParsePacketRule(text);
    if (rule) {
      rules.push_back(*std::move(rule));
    } else {
      Complain(Text("%s: %s", option, rule.error().c_str()));
    }
  }
  return rules;
}

void Reader::ReadPlaces(PlaceOptions& options) {
  options.entries = Rules("--entry", raw_.entries);
  for (const PacketRule& entry : options.entries) {
    if (MatchWhole("[a-z]{3}[0-9]{2,3}", entry.name)) continue;
    Complain(Text("--entry %s is no site such as ord02.", entry.name.c_str()));
  }
  options.drops = Rules("--drop", raw_.drops);
  Take(raw_.egress, options.egress);
}

void Reader::ReadAnalytics(AnalyticsOptions& options) {
  options.access = Choose<AnalyticsAccess>("--analytics", raw_.analytics,
                                           {{"on", AnalyticsAccess::kOn},
                                            {"denied", AnalyticsAccess::kDenied},
                                            {"absent", AnalyticsAccess::kAbsent}},
                                           AnalyticsAccess::kOn);
  const auto positive = [this](const char* option, gint64 value) {
    if (value < 1) Complain(Text("%s must be a number from 1 on.", option));
    return value;
  };
  options.max_duration = positive("--analytics-max-duration", raw_.analytics_max_duration);
  options.not_older_than = positive("--analytics-not-older-than", raw_.analytics_not_older_than);
  options.max_page_size = positive("--analytics-page", raw_.analytics_page);
  options.interval = positive("--analytics-interval", raw_.analytics_interval);
  options.budget = static_cast<std::size_t>(
      AtLeast("--analytics-budget", static_cast<double>(raw_.analytics_budget), 0));
  options.tells_interval = raw_.analytics_hide_interval == FALSE;
  options.lag = AtLeast("--analytics-lag", raw_.analytics_lag, 0);
  options.speed = raw_.speed;
}

void Reader::ReadAnswers(AnswerOptions& options) {
  // Those carried out first come first, so that a rule for both reads naturally.
  for (const bool carry_out : {true, false}) {
    for (const std::string& text : List(carry_out ? raw_.answers_after : raw_.answers)) {
      const auto rule = ParseAnswerRule(text, carry_out);
      if (rule) {
        options.rules.push_back(*rule);
      } else {
        Complain(rule.error());
      }
    }
  }
  options.headers = List(raw_.answer_headers);
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == 0 || colon == std::string::npos) {
      Complain(Text("--answer-header \"%s\" is not of the form 'NAME: VALUE'.", header.c_str()));
    }
  }
  options.body = Choose<RuleBody>(
      "--answer-body", raw_.answer_body,
      {{"json", RuleBody::kJson}, {"html", RuleBody::kHtml}, {"empty", RuleBody::kEmpty}},
      RuleBody::kJson);
  options.delay = AtLeast("--answer-delay", raw_.answer_delay, 0);
  options.download_rate = static_cast<std::uint64_t>(
      AtLeast("--download-rate", static_cast<double>(raw_.download_rate), 0));
}

void Reader::ReadRouters(RouterOptions& options) {
  options.files = List(raw_.routers);
  options.tunnel = Choose<std::string>(
      "--router-tunnel", raw_.router_tunnel,
      {{"gre", "gre"}, {"gre-key", "gre-key"}, {"ipip", "ipip"}, {"none", "none"}}, "gre");
  Take(raw_.router_drop, options.drop);
  options.loss = AtLeast("--router-loss", raw_.router_loss, 0);
  options.delay = AtLeast("--router-delay", raw_.router_delay, 0);
  options.clock = raw_.router_clock;
  options.mtu = static_cast<std::uint32_t>(AtLeast("--router-mtu", raw_.router_mtu, 68));
  options.outer_mtu =
      static_cast<std::uint32_t>(AtLeast("--router-outer-mtu", raw_.router_outer_mtu, 68));
}

Options Reader::Read() {
  Options options;
  ReadListen(options.listen);
  ReadAccess(options.access);
  ReadPackets(options.packets);
  ReadCaptures(options.captures);
  ReadParts(options.parts);
  ReadPlaces(options.places);
  ReadAnalytics(options.analytics);
  ReadAnswers(options.answers);
  ReadRouters(options.routers);
  Take(raw_.log, options.log);
  return options;
}

struct ContextRelease {
  void operator()(GOptionContext* context) const { g_option_context_free(context); }
};

std::string Help(GOptionContext* context) {
  const std::unique_ptr<char, decltype(&g_free)> text(
      g_option_context_get_help(context, TRUE, nullptr), g_free);
  return text.get();
}

}  // namespace

std::expected<Options, OptionsEnd> ParseOptions(int argc, char** argv) {
  RawOptions raw;
  const std::vector<GOptionEntry> entries = raw.Entries();
  const std::unique_ptr<GOptionContext, ContextRelease> context(g_option_context_new(nullptr));
  g_option_context_set_summary(context.get(), kHelpSummary);
  g_option_context_set_description(context.get(), kHelpDescription);
  // GLib's own --help leaves the program from within its parser.
  g_option_context_set_help_enabled(context.get(), FALSE);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);
  GError* error = nullptr;
  if (!g_option_context_parse(context.get(), &argc, &argv, &error)) {
    const std::string why = error->message;
    g_error_free(error);
    return std::unexpected(OptionsEnd{.text = why + "; see --help."});
  }
  if (raw.help) return std::unexpected(OptionsEnd{.exit_status = 0, .text = Help(context.get())});
  Reader reader(raw);
  Options options = reader.Read();
  if (!reader.problem().empty()) return std::unexpected(OptionsEnd{.text = reader.problem()});
  return options;
}

}  // namespace cloudflare_emulator
