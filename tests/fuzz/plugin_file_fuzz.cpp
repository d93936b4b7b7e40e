// SPDX-License-Identifier: GPL-2.0-or-later
// Whole capture files through Wireshark's own reader and dissection, with our post-dissector, its
// statistics and findings. Ours is linked in and instrumented; libwireshark is the system's, with
// all other protocols off, so that what is found is ours. Built against Wireshark 4.0.
#include <epan/epan.h>
#include <epan/epan_dissect.h>
#include <epan/expert.h>
#include <epan/frame_data.h>
#include <epan/prefs.h>
#include <epan/proto.h>
#include <epan/stats_tree_priv.h>
#include <epan/tap.h>
#include <epan/tvbuff.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>
#include <wsutil/wslog.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "dissector/post_dissector.h"

/// Wireshark leaves this type to each program: what a session asks about its file.
struct packet_provider_data {
  wtap* file;
};

namespace {

const nstime_t* AnyTime(packet_provider_data*, guint32) {
  static const nstime_t time = {};
  return &time;
}
const char* NoName(packet_provider_data*, guint32) {
  return nullptr;
}
wtap_block_t NoBlock(packet_provider_data*, const frame_data*) {
  return nullptr;
}

/// As tshark answers it.
const char* Description(packet_provider_data* provider, guint32 interface) {
  const std::unique_ptr<wtapng_iface_descriptions_t, void (*)(gpointer)> info(
      wtap_file_get_idb_info(provider->file), g_free);
  if (interface >= info->interface_data->len) return nullptr;
  wtap_block_t block = g_array_index(info->interface_data, wtap_block_t, interface);
  char* text = nullptr;
  return wtap_block_get_string_option_value(block, OPT_IDB_DESCRIPTION, &text) ==
                 WTAP_OPTTYPE_SUCCESS
             ? text
             : nullptr;
}

const packet_provider_funcs kProvider = {AnyTime, NoName, Description, NoBlock};

/// Everything off but frames and ours.
void SilenceOtherProtocols() {
  void* cookie = nullptr;
  for (int id = proto_get_first_protocol(&cookie); id != -1;
       id = proto_get_next_protocol(&cookie)) {
    const std::string_view name = proto_get_protocol_filter_name(id);
    const bool kept = name == "frame" || name == "cloudflare" || name == "data";
    if (!kept && !proto_is_pino(find_protocol_by_id(id)) && proto_can_toggle_protocol(id)) {
      proto_set_decoding(id, FALSE);
    }
  }
}

void IgnoreStatisticsTree(gpointer, gpointer, gpointer) {}

/// Opens `-z cloudflare,tree`, as tshark would.
void OpenStatistics() {
  stats_tree_presentation(IgnoreStatisticsTree, nullptr, nullptr, nullptr);
  stats_tree_cfg* const config = stats_tree_get_cfg_by_abbr("cloudflare");
  stats_tree* const tree = stats_tree_new(config, nullptr, nullptr);
  GString* const error =
      register_tap_listener(config->tapname, tree, nullptr, config->flags, stats_tree_reset,
                            stats_tree_packet, nullptr, nullptr);
  if (error != nullptr) std::abort();
}

void StartWireshark() {
  // What Wireshark calls a bug in a dissector is one; else it would be a line in the tree.
  setenv("WIRESHARK_ABORT_ON_DISSECTOR_BUG", "1", 1);
  ws_log_init("plugin_file_fuzz", nullptr);
  ws_log_set_level(LOG_LEVEL_ERROR);
  init_process_policies();
  g_free(configuration_init("/usr/bin/tshark", nullptr));
  wtap_init(FALSE);
  static proto_plugin plugin = {cloudflaredump::dissector::RegisterProtocol,
                                cloudflaredump::dissector::RegisterHandoff};
  proto_register_plugin(&plugin);
  if (!epan_init(nullptr, nullptr, FALSE)) std::abort();
  SilenceOtherProtocols();
  OpenStatistics();
}

/// Dissects every record of an open file, with and without a tree in turns. One session serves all
/// files: starting one sets up all of Wireshark's protocols anew.
void DissectAll(wtap* file) {
  static packet_provider_data provider = {};
  static epan_t* const session = epan_new(&provider, &kProvider);
  provider.file = file;
  cloudflaredump::dissector::ForgetFile();
  reset_tap_listeners();
  wtap_rec record;
  wtap_rec_init(&record);
  Buffer bytes;
  ws_buffer_init(&bytes, 1514);
  gint64 offset = 0;
  int error = 0;
  char* error_info = nullptr;
  nstime_t elapsed = {};
  const frame_data* reference = nullptr;
  guint32 counted = 0;
  for (guint32 number = 1; wtap_read(file, &record, &bytes, &error, &error_info, &offset);
       ++number) {
    frame_data frame;
    frame_data_init(&frame, number, &record, offset, counted);
    frame_data_set_before_dissect(&frame, &elapsed, &reference, nullptr);
    epan_dissect_t dissection;
    const gboolean tree = number % 3 != 0;
    epan_dissect_init(&dissection, session, tree, tree);
    // As Wireshark's frame_tvbuff does it, for which there is no header.
    const auto length = static_cast<gint>(std::min<guint32>(frame.pkt_len, G_MAXINT));
    tvbuff_t* const data = tvb_new_real_data(ws_buffer_start_ptr(&bytes), frame.cap_len, length);
    epan_dissect_run_with_taps(&dissection, wtap_file_type_subtype(file), &record, data, &frame,
                               nullptr);
    frame_data_set_after_dissect(&frame, &counted);
    epan_dissect_cleanup(&dissection);
    frame_data_destroy(&frame);
    reference = nullptr;
    wtap_rec_reset(&record);
  }
  g_free(error_info);
  ws_buffer_free(&bytes);
  wtap_rec_cleanup(&record);
}

/// Wiretap opens names only.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size)
      : descriptor_(memfd_create("capture", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || write(descriptor_, data, size) != static_cast<ssize_t>(size)) {
      std::abort();
    }
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string name() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

// Wireshark 4.0's reader leaks some of its own error texts; stacks tell its leaks from ours.
// NOLINTBEGIN(bugprone-reserved-identifier): names that the sanitizers look for.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libwiretap";
}
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0:malloc_context_size=8";
}
// NOLINTEND(bugprone-reserved-identifier)

/// Here, for a busy machine takes longer for it than an input may.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  StartWireshark();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile memory(data, size);
  int error = 0;
  char* error_info = nullptr;
  wtap* const file =
      wtap_open_offline(memory.name().c_str(), WTAP_TYPE_AUTO, &error, &error_info, FALSE);
  g_free(error_info);
  if (file == nullptr) return 0;
  DissectAll(file);
  wtap_close(file);
  return 0;
}
