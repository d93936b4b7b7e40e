// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/option_table.h"

namespace cloudflare_emulator {

const char* const kHelpSummary =
    "The emulator of Cloudflare's packet capture API (PCAPs), on loopback only.\n"
    "It prints \"listening on http://HOST:PORT/client/v4\" when it is ready, and ends on SIGTERM "
    "or "
    "SIGINT.";

const char* const kHelpDescription =
    "Packets:\n"
    "  Without --packets the traffic is made up: TCP, DNS, ICMP, IPv6 and GRE of documentation\n"
    "  addresses, every second of the last 24 hours, the same for the same seed and time.\n"
    "  Files of several link types go into one download: the link type of the first file, or the\n"
    "  one of --linktype, is written, and packets of others are put behind a synthetic header of\n"
    "  it. Packets without an IP header cannot be, and are left out then.\n"
    "  A full capture meets the same packets as if they passed while it runs: made-up traffic as\n"
    "  it is at that time; recorded packets moved so that the first comes when running begins,\n"
    "  with the gaps between them shortened alike if they last longer than time_limit.\n"
    "  With --speed N a full capture's own time, and so its packets', goes N times faster than\n"
    "  the clock. packet_limit and byte_limit (captured bytes) count all parts together.\n"
    "\n"
    "Capture status: samples go pending, RESULT; full captures pending, running,\n"
    "  conversion_pending, conversion_running, RESULT. RESULT is --job-result: success, complete,\n"
    "  failed, any other word (which then stays), or never: pending or running until stopped.\n"
    "\n"
    "Buckets, DESTINATION_CONF: s3://BUCKET[/DIRECTORY]?region=REGION, gs://BUCKET[/DIRECTORY],\n"
    "  r2://BUCKET[/DIRECTORY]?account-id=ID&access-key-id=ID&secret-access-key=KEY, and\n"
    "  file:///FOLDER. The first three are written to the S3 server of AWS_ENDPOINT_URL_S3 (else\n"
    "  AWS_ENDPOINT_URL) with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; an\n"
    "  R2 bucket that was added with keys is written with these. AWS_REGION wins over the region.\n"
    "\n"
    "Ordered answers, --answer 'METHOD PATH=STATUS[xCOUNT][:FILE]':\n"
    "  METHOD is one word or *; PATH is the end of the path or a shell pattern for it (* crosses\n"
    "  slashes): /pcaps, '/pcaps/*', /download. STATUS may be \"close\": no answer at all.\n"
    "  xCOUNT: only the first COUNT such requests. FILE gives the body, its ending the content\n"
    "  type; without it --answer-body chooses. The first rule that fits counts. Rules hold for\n"
    "  any path, so that an object store's answers can be played too.\n";

namespace {

GOptionEntry Option(const char* name, GOptionArg kind, void* at, const char* help,
                    const char* value) {
  return {name, 0, 0, kind, at, help, value};
}

GOptionEntry Flag(const char* name, gboolean* at, const char* help) {
  return Option(name, G_OPTION_ARG_NONE, at, help, nullptr);
}

// Texts are "filenames" to GLib: it takes those as they are, and others only in the locale's
// character set.
GOptionEntry String(const char* name, char** at, const char* help, const char* value) {
  return Option(name, G_OPTION_ARG_FILENAME, static_cast<void*>(at), help, value);
}

GOptionEntry Path(const char* name, char** at, const char* help) {
  return Option(name, G_OPTION_ARG_FILENAME, static_cast<void*>(at), help, "FILE");
}

GOptionEntry Strings(const char* name, char*** at, const char* help, const char* value) {
  return Option(name, G_OPTION_ARG_FILENAME_ARRAY, static_cast<void*>(at), help, value);
}

GOptionEntry Paths(const char* name, char*** at, const char* help) {
  return Option(name, G_OPTION_ARG_FILENAME_ARRAY, static_cast<void*>(at), help, "FILE");
}

GOptionEntry Real(const char* name, double* at, const char* help, const char* value = "SECONDS") {
  return Option(name, G_OPTION_ARG_DOUBLE, at, help, value);
}

GOptionEntry Int(const char* name, int* at, const char* help) {
  return Option(name, G_OPTION_ARG_INT, at, help, "N");
}

GOptionEntry Int64(const char* name, gint64* at, const char* help) {
  return Option(name, G_OPTION_ARG_INT64, at, help, "N");
}

}  // namespace

RawOptions::~RawOptions() {
  for (char* text : {listen,      log,
                     account,     token,
                     read_token,  email,
                     key,         magic,
                     serve_as_is, window_ends,
                     job_result,  list_order,
                     filter_ipv6, trace_colo,
                     colo_field,  no_packets_result,
                     part_name,   part_linktypes,
                     part_magics, part_sizes,
                     answer_body, egress,
                     analytics,   router_tunnel,
                     router_drop}) {
    g_free(text);
  }
  for (char** list : {packets, more_packets, registered, entries, drops, answers, answers_after,
                      answer_headers, routers}) {
    g_strfreev(list);
  }
}

std::vector<GOptionEntry> RawOptions::Entries() {
  return {
      {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", nullptr},
      String("listen", &listen, "Loopback address and port; port 0: any (127.0.0.1:0)",
             "HOST:PORT"),
      Path("log", &log,
           "Append a JSON object a line for each request: time, method, path, status, body"),

      String("account", &account, "The account (023e105f4ecef8ad9ca31a8372d0c353)", "ID"),
      String("token", &token, "The API token that may read and write (emulator-token)", "TOKEN"),
      String("read-token", &read_token, "A token that may only read (none)", "TOKEN"),
      String("email", &email, "X-Auth-Email (user@example.com)", "EMAIL"),
      String("key", &key, "X-Auth-Key (emulator-key)", "KEY"),

      Paths("packets", &packets, "Capture files that are served; more may follow: A B C"),
      Flag("rebase", &rebase, "Move the packets' times so that the last is the time of start"),
      Int64("seed", &seed, "Seed of made-up traffic and of the parts' packets (1)"),
      Int("linktype", &link_type,
          "LINKTYPE_ written: 1, 101, 113, 228, 229, 239 or 276 (that of the packets)"),
      String("magic", &magic, "Precision written (that of the packets)", "us|ns"),
      Flag("big-endian", &big_endian, "Write big-endian files"),
      Path("serve-as-is", &serve_as_is, "Every download is the bytes of this file"),
      String("window-ends", &window_ends,
             "Whether packets at a sample window's very ends belong to it (closed)",
             "closed|open-start|open-end"),

      Real("sample-interval", &sample_interval, "Least time between two sample requests (60)"),
      Real("job-seconds", &job_seconds,
           "Time from a sample's request, or from a full capture's end, to the result (1)"),
      Real("late", &late,
           "Packets are in a sample only if it is asked for so long after them; whatever the speed "
           "(0)"),
      Real("others", &others,
           "Another user asks for a sample this often, if the sample interval lets him (never)"),
      String("job-result", &job_result, "Last status of every capture (success)", "NAME"),
      Real(
          "speed", &speed,
          "Divide sample interval, job seconds, others, late seconds and the time of full captures "
          "(1)",
          "N"),
      String("list-order", &list_order, "Order of the list of captures (newest)", "newest|oldest"),
      String("filter-ipv6", &filter_ipv6, "Whether filter_v1 may name IPv6 addresses (on)",
             "on|off"),
      String("trace-colo", &trace_colo, "The data center that cdn-cgi/trace names (SIN)", "COLO"),
      Strings("registered", &registered, "A bucket that is validated from the start; repeatable",
              "DESTINATION_CONF"),
      Flag("show-keys", &show_keys, "Answers about buckets repeat R2's keys"),
      String("colo-field", &colo_field,
             "The name required and shown for a full capture's data center (colo_name)",
             "colo_name|colo|both"),
      Flag("colo-strict", &colo_strict, "Refuse the other name instead of passing over it"),
      String("no-packets-result", &no_packets_result,
             "Last status of a full capture that no packet matched (failed)", "NAME"),

      Int("parts", &parts, "Objects of a full capture, one a machine (3)"),
      String("part-name", &part_name, "Their names (pcap_{id}_{machine}.pcap)", "PATTERN"),
      String("part-linktypes", &part_linktypes, "Their link types in turn", "N,N,…"),
      String("part-magics", &part_magics, "Their precision and byte order in turn",
             "us|ns|us-be|ns-be,…"),
      String("part-sizes", &part_sizes,
             "Their shares: alike, or half of the packets, a quarter … (even)", "even|skewed"),
      Int("late-parts", &late_parts, "So many of them come after the result (0)"),
      Real("late-seconds", &late_seconds, "How long after the result (5)"),
      Flag("empty-part", &empty_part, "One more object: a pcap header and no packets"),
      Flag("zero-part", &zero_part, "One more object: no bytes at all"),
      Flag("not-pcap-part", &not_pcap_part, "One more object: text"),
      Flag("damaged-part", &damaged_part, "The first part ends in the middle of a record"),
      Flag("garbled-part", &garbled_part,
           "The last part has an impossible record length in its middle"),

      Strings("entry", &entries,
              "Packets of FILTER enter at SITE, such as ord02, and only captures there have them; "
              "the first that fits counts, others enter at --trace-colo; repeatable (none: every "
              "data center has all packets)",
              "SITE=FILTER"),
      Strings(
          "drop", &drops,
          "SYSTEM (dosd, flowtrackd, magic-firewall) drops packets of FILTER, as analytics tell "
          "it; repeatable",
          "SYSTEM=FILTER"),
      String("egress", &egress,
             "Packets that come from the customer (src net 203.0.113.0/24 or src net "
             "2001:db8:113::/48)",
             "FILTER"),
      String("analytics", &analytics,
             "POST /graphql: answer, refuse the token, or have no such dataset (on)",
             "on|denied|absent"),
      Int64("analytics-max-duration", &analytics_max_duration,
            "The Settings node's maxDuration, in seconds (604800)"),
      Int64("analytics-not-older-than", &analytics_not_older_than,
            "The Settings node's notOlderThan, in seconds (9676800)"),
      Int64("analytics-page", &analytics_page, "The Settings node's maxPageSize (10000)"),
      Int64("analytics-budget", &analytics_budget, "Queries in five minutes (300)"),
      Int64("analytics-interval", &analytics_interval,
            "Packets that each packet stands for, being a sample of them (10000)"),
      Flag("analytics-hide-interval", &analytics_hide_interval,
           "The dataset has no avg.sampleInterval"),
      Real("analytics-lag", &analytics_lag, "Time until a packet is in the dataset (0)"),

      Paths("router", &routers,
            "Write what a router of the customer captures, and FILE.truth.jsonl; repeatable"),
      String("router-tunnel", &router_tunnel, "How packets come to the routers (gre)",
             "gre|gre-key|ipip|none"),
      String("router-drop", &router_drop, "Nothing arrives at this address (none)", "ADDRESS"),
      Real("router-loss", &router_loss, "Lost on the way to the routers (0)", "PERCENT"),
      Real("router-delay", &router_delay, "How long packets take to the routers (0.012)"),
      Real("router-clock", &router_clock, "How far the routers' clocks are ahead (0)"),
      Int("router-mtu", &router_mtu,
          "Larger packets are lost, or fragmented without DF, before the tunnel (1476)"),
      Int("router-outer-mtu", &router_outer_mtu,
          "Larger packets of the tunnel are fragmented (1500)"),

      Strings("answer", &answers, "Answer such requests so, see below; repeatable", "RULE"),
      Strings("answer-after", &answers_after, "The same, but the request is carried out before",
              "RULE"),
      Strings("answer-header", &answer_headers, "A header of ordered answers; repeatable",
              "'NAME: VALUE'"),
      String("answer-body", &answer_body, "Body of ordered answers without FILE (json)",
             "json|html|empty"),
      Real("answer-delay", &answer_delay, "Wait before every answer (0)"),
      Int64("download-rate", &download_rate, "Bytes a second of downloads (0: no limit)"),
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, static_cast<void*>(&more_packets),
       nullptr, nullptr},
      {},
  };
}

}  // namespace cloudflare_emulator
