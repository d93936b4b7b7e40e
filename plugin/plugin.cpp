// SPDX-License-Identifier: GPL-2.0-or-later
// What Wireshark looks for in a plugin (its doc/README.plugins). It loads one only if the two
// wanted numbers are those of its own version.
#include <epan/packet.h>
#include <epan/proto.h>
#include <ws_version.h>

#include <cstdint>

#include "dissector/post_dissector.h"

#define CLOUDFLAREDUMP_EXPORT extern "C" __attribute__((visibility("default")))

CLOUDFLAREDUMP_EXPORT const char plugin_version[] = CLOUDFLAREDUMP_VERSION;
CLOUDFLAREDUMP_EXPORT const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
CLOUDFLAREDUMP_EXPORT const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

CLOUDFLAREDUMP_EXPORT void plugin_register() {
  static proto_plugin plugin = {};
  plugin.register_protoinfo = cloudflaredump::dissector::RegisterProtocol;
  plugin.register_handoff = cloudflaredump::dissector::RegisterHandoff;
  proto_register_plugin(&plugin);
}

// Read from Wireshark 4.4 on: the kind shown in Help > About, WS_PLUGIN_DESC_EPAN and
// WS_PLUGIN_DESC_DISSECTOR of wsutil/plugins.h, which 4.0 does not have.
CLOUDFLAREDUMP_EXPORT std::uint32_t plugin_describe() {
  return (1U << 0) | (1U << 3);
}
