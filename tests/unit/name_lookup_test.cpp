// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/name_lookup.h"

#include <pcap/pcap.h>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::system {
namespace {

bool Compiles(const char* filter) {
  pcap_t* const handle = pcap_open_dead(DLT_RAW, 262144);
  assert_non_null(handle);
  bpf_program program = {};
  const bool good = pcap_compile(handle, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
  if (good) pcap_freecode(&program);
  pcap_close(handle);
  return good;
}

/// "localhost" stands in /etc/hosts, so it is known without a network, until nothing is asked.
void NamesAreUnknownFromThenOn(void**) {
  assert_true(Compiles("host localhost"));
  ForbidNameLookup();
  assert_false(Compiles("host localhost"));
  assert_false(Compiles("ip6 host localhost"));
}

void AddressesAndServicesAreNot(void**) {
  assert_true(Compiles("host 203.0.113.7 or ip6 host 2001:db8::7 or net 198.51.100.0/24"));
  assert_true(Compiles("port domain"));
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NamesAreUnknownFromThenOn),
      cmocka_unit_test(AddressesAndServicesAreNot),
  };
  return cmocka_run_group_tests_name("name_lookup", tests, nullptr, nullptr);
}
