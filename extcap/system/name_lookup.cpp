// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/name_lookup.h"

#include "common/platform.h"

#if CLOUDFLAREDUMP_HAVE_NSS_LOOKUP_SWITCH

#include <nss.h>

namespace cloudflaredump::system {

void ForbidNameLookup() {
  // glibc's switch for exactly this; with a service that does not exist nothing is asked, neither
  // the network nor nscd. A switch of the resolver (_res) would not reach the other services.
  __nss_configure_lookup("hosts", "nothing");
  __nss_configure_lookup("networks", "files");
}

}  // namespace cloudflaredump::system

#else

#include <dlfcn.h>
#include <netdb.h>

namespace cloudflaredump::system {
namespace {

bool forbidden = false;

}  // namespace

void ForbidNameLookup() {
  forbidden = true;
}

}  // namespace cloudflaredump::system

// Replaces the C library's, for libpcap too: a program's own symbols come first (ELF). Not so on
// macOS, where libpcap still looks names up, within the compiler's time limit.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** result) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || !cloudflaredump::system::forbidden) {
    return real(node, service, hints, result);
  }
  addrinfo numeric = hints == nullptr ? addrinfo{} : *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return real(node, service, &numeric, result);
}

#endif
