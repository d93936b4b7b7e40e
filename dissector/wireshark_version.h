// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/epan.h>
#include <epan/packet_info.h>
#include <epan/prefs.h>

#include <cstdint>

/// What differs between the Wireshark versions this source is built for: 4.0, 4.2, 4.4 and 4.6.
/// Each difference is read from Wireshark's own declarations, not from its number.
namespace cloudflaredump::wireshark {

template <class Variable>
Variable PreferenceVariable(void (*)(module_t*, const char*, const char*, const char*, Variable*));

/// The variable of a boolean preference: gboolean in 4.0 and 4.2, bool from 4.4 on.
using BoolPreference = decltype(PreferenceVariable(&prefs_register_bool_preference));

using GetWithSection = const char* (*)(const epan_t*, std::uint32_t, unsigned);  // from 4.4 on
using GetWithoutSection = const char* (*)(const epan_t*, std::uint32_t);         // 4.0, 4.2

constexpr bool KnowsSections(GetWithSection) {
  return true;
}
constexpr bool KnowsSections(GetWithoutSection) {
  return false;
}

/// False for Wireshark 4.0 and 4.2: asked for an interface of a further section, it answers with
/// the one of the same number in the first.
inline constexpr bool kKnowsSections = KnowsSections(&epan_get_interface_description);

inline const char* Ask(GetWithSection get, const epan_t* session, std::uint32_t interface,
                       std::uint32_t section) {
  return get(session, interface, section);
}
inline const char* Ask(GetWithoutSection get, const epan_t* session, std::uint32_t interface,
                       std::uint32_t) {
  return get(session, interface);
}

/// if_description of an interface; null if it has none. Unless kKnowsSections, `section` must be 0.
inline const char* InterfaceDescription(const epan_t* session, std::uint32_t interface,
                                        std::uint32_t section) {
  return Ask(&epan_get_interface_description, session, interface, section);
}

}  // namespace cloudflaredump::wireshark
