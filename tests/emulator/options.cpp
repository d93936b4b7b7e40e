// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/options.h"

#include <glib.h>

#include <cmath>
#include <map>
#include <memory>
#include <regex>

#include "tests/emulator/link_layer.h"

namespace cloudflare_emulator {
namespace {

constexpr const char* kSummary =
    "The emulator of Cloudflare's packet capture API (PCAPs), on loopback only.\n"
    "It prints \"listening on http://HOST:PORT/client/v4\" when it is ready, and ends on SIGTERM "
    "or "
    "SIGINT.";

constexpr const char* kDescription =
    "Packets:\n"
    "  Without --packets the traffic is made up: TCP, DNS, ICMP, IPv6 and GRE of documentation\n"
    "  addresses, every second of the last 24 hours, the same for the same seed and time.\n"
    "  Files of several link types go into one download: the link type of the first file, or the\n"
    "  one of --linktype, is written, and packets of others are put behind a synthetic header of\n"
    "  it. Packets without an IP header cannot be, and are left out then.\n"
    "\n"
    "Ordered answers, --answer 'METHOD PATH=STATUS[xCOUNT][:FILE]':\n"
    "  METHOD is one word or *; PATH is the end of the path or a shell pattern for it (* crosses\n"
    "  slashes): /pcaps, '/pcaps/*', /download. STATUS may be \"close\": no answer at all.\n"
    "  xCOUNT: only the first COUNT such requests. FILE gives the body, its ending the content\n"
    "  type; without it --answer-body chooses. The first rule that fits counts.\n"
    "\n"
    "Capture status: samples go pending, RESULT; full captures pending, running,\n"
    "  conversion_pending, conversion_running, RESULT. RESULT is --job-result: success, complete,\n"
    "  failed, any other word (which then stays), or never, which stays pending or running.\n";

/// What GLib's parser fills in; strings and arrays are GLib's and live as long as this.
struct Raw {
  char* listen = nullptr;
  char* account = nullptr;
  char* token = nullptr;
  char* read_token = nullptr;
  char* email = nullptr;
  char* key = nullptr;
  char** packets = nullptr;
  char** more_packets = nullptr;
  gboolean rebase = FALSE;
  gint64 seed = 1;
  int link_type = -1;
  char* magic = nullptr;
  gboolean big_endian = FALSE;
  char* serve_as_is = nullptr;
  char* window_ends = nullptr;
  char* filter_ipv6 = nullptr;
  double sample_interval = 60;
  double job_seconds = 1;
  char* job_result = nullptr;
  char* list_order = nullptr;
  double speed = 1;
  char* trace_colo = nullptr;
  char** answers = nullptr;
  char** answers_after = nullptr;
  char** answer_headers = nullptr;
  char* answer_body = nullptr;
  double answer_delay = 0;
  gint64 download_rate = 0;
  char* log = nullptr;

  Raw() = default;
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  ~Raw();
  std::vector<GOptionEntry> Entries();
};

Raw::~Raw() {
  for (char* text :
       {listen, account, token, read_token, email, key, magic, serve_as_is, window_ends,
        filter_ipv6, job_result, list_order, trace_colo, answer_body, log}) {
    g_free(text);
  }
  for (char** list : {packets, more_packets, answers, answers_after, answer_headers}) {
    g_strfreev(list);
  }
}

std::vector<GOptionEntry> Raw::Entries() {
  const auto text = [](const char* name, char** at, const char* help, const char* what) {
    return GOptionEntry{name, 0, 0, G_OPTION_ARG_STRING, at, help, what};
  };
  const auto texts = [](const char* name, char*** at, const char* help, const char* what) {
    return GOptionEntry{name, 0, 0, G_OPTION_ARG_STRING_ARRAY, at, help, what};
  };
  const auto flag = [](const char* name, gboolean* at, const char* help) {
    return GOptionEntry{name, 0, 0, G_OPTION_ARG_NONE, at, help, nullptr};
  };
  const auto real = [](const char* name, double* at, const char* help) {
    return GOptionEntry{name, 0, 0, G_OPTION_ARG_DOUBLE, at, help, "SECONDS"};
  };
  return {
      text("listen", &listen, "Loopback address and port; port 0: any (127.0.0.1:0)", "HOST:PORT"),
      text("account", &account, "The account (023e105f4ecef8ad9ca31a8372d0c353)", "ID"),
      text("token", &token, "The API token that may read and write (emulator-token)", "TOKEN"),
      text("read-token", &read_token, "A token that may only read (none)", "TOKEN"),
      text("email", &email, "X-Auth-Email (user@example.com)", "EMAIL"),
      text("key", &key, "X-Auth-Key (emulator-key)", "KEY"),
      {"packets", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &packets,
       "Capture files that are served; more may follow: --packets A B C", "FILE"},
      flag("rebase", &rebase, "Move the packets' times so that the last is the time of start"),
      {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Seed of made-up traffic (1)", "N"},
      {"linktype", 0, 0, G_OPTION_ARG_INT, &link_type,
       "LINKTYPE_ written: 1, 101, 113, 228, 229, 239 or 276 (that of the packets)", "N"},
      text("magic", &magic, "Precision written (that of the packets)", "us|ns"),
      flag("big-endian", &big_endian, "Write big-endian files"),
      {"serve-as-is", 0, 0, G_OPTION_ARG_FILENAME, &serve_as_is,
       "Every download is the bytes of this file", "FILE"},
      text("window-ends", &window_ends,
           "Whether packets at a sample window's very ends belong to it (closed)",
           "closed|open-start|open-end"),
      text("filter-ipv6", &filter_ipv6, "Whether filter_v1 may name IPv6 addresses (on)", "on|off"),
      real("sample-interval", &sample_interval, "Least time between two sample requests (60)"),
      real("job-seconds", &job_seconds,
           "Time from a sample's request, or from a full capture's end, to the result (1)"),
      text("job-result", &job_result, "Last status of every capture (success)", "NAME"),
      text("list-order", &list_order, "Order of the list of captures (newest)", "newest|oldest"),
      {"speed", 0, 0, G_OPTION_ARG_DOUBLE, &speed,
       "Divide sample interval, job seconds and the time of full captures (1)", "N"},
      text("trace-colo", &trace_colo, "The data center that cdn-cgi/trace names (SIN)", "COLO"),
      texts("answer", &answers, "Answer such requests so, see below; repeatable", "RULE"),
      texts("answer-after", &answers_after, "The same, but the request is carried out before",
            "RULE"),
      texts("answer-header", &answer_headers, "A header of ordered answers; repeatable",
            "'NAME: VALUE'"),
      text("answer-body", &answer_body, "Body of ordered answers without FILE (json)",
           "json|html|empty"),
      real("answer-delay", &answer_delay, "Wait before every answer (0)"),
      {"download-rate", 0, 0, G_OPTION_ARG_INT64, &download_rate,
       "Bytes a second of downloads (0: no limit)", "N"},
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log,
       "Append one JSON object a line for each request: time, method, path, status, body", "FILE"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &more_packets, nullptr, nullptr},
      {},
  };
}

/// Reads the raw options one after the other and keeps the first complaint.
class Reader {
 public:
  explicit Reader(const Raw& raw) : raw_(raw) {}

  Options Read();
  const std::string& problem() const { return problem_; }

 private:
  void Complain(std::string sentence) {
    if (problem_.empty()) problem_ = std::move(sentence);
  }
  static void Take(const char* from, std::string& to) {
    if (from) to = from;
  }
  static std::vector<std::string> List(char** from) {
    std::vector<std::string> list;
    for (; from && *from; ++from) list.emplace_back(*from);
    return list;
  }
  /// The value that `choices` has for `text`; a complaint and `fallback` if none.
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
  double AtLeast(const char* option, double value, double least, bool least_is_good = true) {
    const bool good = std::isfinite(value) && (least_is_good ? value >= least : value > least);
    if (!good) {
      Complain(Text("%s must be %s %g.", option, least_is_good ? "at least" : "more than", least));
    }
    return good ? value : 1;
  }
  void ReadListen(Options& options);
  void ReadPackets(Options& options);
  void ReadRules(Options& options);

  const Raw& raw_;
  std::string problem_;
};

void Reader::ReadListen(Options& options) {
  static const std::regex kShape(R"((127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d{1,5}))");
  if (!raw_.listen) return;
  std::cmatch match;
  if (!std::regex_match(raw_.listen, match, kShape) || std::stoi(match[2]) > 65535) {
    Complain(
        Text("--listen %s is not a loopback address with a port, such as 127.0.0.1:0; the "
             "emulator serves no other.",
             raw_.listen));
    return;
  }
  options.host = match[1] == "localhost" ? "127.0.0.1" : match[1].str();
  options.port = static_cast<std::uint16_t>(std::stoi(match[2]));
}

void Reader::ReadPackets(Options& options) {
  options.packets = List(raw_.packets);
  const std::vector<std::string> more = List(raw_.more_packets);
  if (options.packets.empty() && !more.empty()) {
    Complain(Text("\"%s\" belongs to no option.", more.front().c_str()));
  }
  options.packets.insert(options.packets.end(), more.begin(), more.end());
  options.rebase = raw_.rebase;
  if (options.rebase && options.packets.empty()) {
    Complain("--rebase needs --packets: made-up traffic is always of the last 24 hours.");
  }
  if (raw_.link_type != -1) {
    options.link_type = static_cast<std::uint32_t>(raw_.link_type);
    if (!CanWriteLinkType(*options.link_type)) {
      Complain(
          Text("--linktype %d is none of 1, 101, 113, 228, 229, 239 and 276.", raw_.link_type));
    }
  }
  if (raw_.magic) {
    options.nanoseconds = Choose<bool>("--magic", raw_.magic, {{"us", false}, {"ns", true}}, false);
  }
}

void Reader::ReadRules(Options& options) {
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
  options.rule_headers = List(raw_.answer_headers);
  for (const std::string& header : options.rule_headers) {
    const std::size_t colon = header.find(':');
    if (colon == 0 || colon == std::string::npos) {
      Complain(Text("--answer-header \"%s\" is not of the form 'NAME: VALUE'.", header.c_str()));
    }
  }
  options.rule_body = Choose<RuleBody>(
      "--answer-body", raw_.answer_body,
      {{"json", RuleBody::kJson}, {"html", RuleBody::kHtml}, {"empty", RuleBody::kEmpty}},
      RuleBody::kJson);
}

Options Reader::Read() {
  Options options;
  ReadListen(options);
  Take(raw_.account, options.account);
  Take(raw_.token, options.token);
  Take(raw_.read_token, options.read_token);
  Take(raw_.email, options.email);
  Take(raw_.key, options.key);
  ReadPackets(options);
  options.seed = static_cast<std::uint64_t>(raw_.seed);
  options.big_endian = raw_.big_endian;
  Take(raw_.serve_as_is, options.serve_as_is);
  options.window_ends = Choose<WindowEnds>("--window-ends", raw_.window_ends,
                                           {{"closed", WindowEnds::kClosed},
                                            {"open-start", WindowEnds::kOpenStart},
                                            {"open-end", WindowEnds::kOpenEnd}},
                                           WindowEnds::kClosed);
  options.filter_ipv6 =
      Choose<bool>("--filter-ipv6", raw_.filter_ipv6, {{"on", true}, {"off", false}}, true);
  options.sample_interval = AtLeast("--sample-interval", raw_.sample_interval, 0);
  options.job_seconds = AtLeast("--job-seconds", raw_.job_seconds, 0);
  Take(raw_.job_result, options.job_result);
  options.newest_first =
      Choose<bool>("--list-order", raw_.list_order, {{"newest", true}, {"oldest", false}}, true);
  options.speed = AtLeast("--speed", raw_.speed, 0, false);
  Take(raw_.trace_colo, options.trace_colo);
  ReadRules(options);
  options.answer_delay = AtLeast("--answer-delay", raw_.answer_delay, 0);
  AtLeast("--download-rate", static_cast<double>(raw_.download_rate), 0);
  options.download_rate = static_cast<std::uint64_t>(raw_.download_rate);
  Take(raw_.log, options.log);
  return options;
}

struct ContextRelease {
  void operator()(GOptionContext* context) const { g_option_context_free(context); }
};

}  // namespace

std::expected<Options, OptionsEnd> ParseOptions(int argc, char** argv) {
  Raw raw;
  const std::vector<GOptionEntry> entries = raw.Entries();
  const std::unique_ptr<GOptionContext, ContextRelease> context(g_option_context_new(nullptr));
  g_option_context_set_summary(context.get(), kSummary);
  g_option_context_set_description(context.get(), kDescription);
  g_option_context_set_help_enabled(context.get(), FALSE);
  gboolean help = FALSE;
  const GOptionEntry help_entry[] = {
      {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", nullptr}, {}};
  g_option_context_add_main_entries(context.get(), help_entry, nullptr);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);
  GError* error = nullptr;
  if (!g_option_context_parse(context.get(), &argc, &argv, &error)) {
    const std::string why = error->message;
    g_error_free(error);
    return std::unexpected(OptionsEnd{.text = why + "; see --help."});
  }
  if (help) {
    const std::unique_ptr<char, decltype(&g_free)> text(
        g_option_context_get_help(context.get(), TRUE, nullptr), g_free);
    return std::unexpected(OptionsEnd{.exit_status = 0, .text = text.get()});
  }
  Reader reader(raw);
  Options options = reader.Read();
  if (!reader.problem().empty()) return std::unexpected(OptionsEnd{.text = reader.problem()});
  return options;
}

}  // namespace cloudflare_emulator
