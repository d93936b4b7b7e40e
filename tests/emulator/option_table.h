// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <vector>

namespace cloudflare_emulator {

/// What GLib's parser fills in, with the values of options that are not given. Owns its texts.
struct RawOptions {
  char* listen = nullptr;
  char* log = nullptr;

  char* account = nullptr;
  char* token = nullptr;
  char* read_token = nullptr;
  char* email = nullptr;
  char* key = nullptr;

  char** packets = nullptr;
  char** more_packets = nullptr;
  gint64 seed = 1;
  char* magic = nullptr;
  char* serve_as_is = nullptr;
  char* window_ends = nullptr;

  double sample_interval = 60;
  double job_seconds = 1;
  double late = 0;
  double others = 0;
  char* job_result = nullptr;
  double speed = 1;
  char* list_order = nullptr;
  char* filter_ipv6 = nullptr;
  char* trace_colo = nullptr;
  char** registered = nullptr;
  char* colo_field = nullptr;
  char* no_packets_result = nullptr;

  char* part_name = nullptr;
  char* part_linktypes = nullptr;
  char* part_magics = nullptr;
  char* part_sizes = nullptr;
  double late_seconds = 5;

  char** entries = nullptr;
  char** drops = nullptr;
  char* egress = nullptr;
  char* analytics = nullptr;
  gint64 analytics_max_duration = 604800;
  gint64 analytics_not_older_than = 9676800;
  gint64 analytics_page = 10000;
  gint64 analytics_budget = 300;
  gint64 analytics_interval = 10000;
  double analytics_lag = 0;

  char** routers = nullptr;
  char* router_tunnel = nullptr;
  char* router_drop = nullptr;
  double router_loss = 0;
  double router_delay = 0.012;
  double router_clock = 0;
  int router_mtu = 1476;
  int router_outer_mtu = 1500;

  char** answers = nullptr;
  char** answers_after = nullptr;
  char** answer_headers = nullptr;
  char* answer_body = nullptr;
  double answer_delay = 0;
  gint64 download_rate = 0;

  int link_type = -1;
  int parts = 3;
  int late_parts = 0;
  gboolean help = FALSE;
  gboolean analytics_hide_interval = FALSE;
  gboolean rebase = FALSE;
  gboolean big_endian = FALSE;
  gboolean show_keys = FALSE;
  gboolean colo_strict = FALSE;
  gboolean empty_part = FALSE;
  gboolean zero_part = FALSE;
  gboolean not_pcap_part = FALSE;
  gboolean damaged_part = FALSE;
  gboolean garbled_part = FALSE;

  RawOptions() = default;
  RawOptions(const RawOptions&) = delete;
  RawOptions& operator=(const RawOptions&) = delete;
  ~RawOptions();

  /// The options for g_option_context_add_main_entries, ended by an empty one. They point into this
  /// object.
  std::vector<GOptionEntry> Entries();
};

/// The texts of --help before and after the options.
extern const char* const kHelpSummary;
extern const char* const kHelpDescription;

}  // namespace cloudflare_emulator
