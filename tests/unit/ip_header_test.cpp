// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/ip_header.h"

#include <initializer_list>
#include <vector>

#include "extcap/filter/link_type.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

using Outcome = IpSearch::Outcome;

std::vector<std::byte> Bytes(std::initializer_list<int> numbers) {
  std::vector<std::byte> bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

std::vector<std::byte> Ethernet(std::initializer_list<int> from_type_on) {
  std::vector<std::byte> bytes(12);
  for (const int number : from_type_on) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

void AssertFoundAt(std::uint32_t link_type, const std::vector<std::byte>& packet,
                   std::size_t offset) {
  const IpSearch search = SearchIpHeader(link_type, packet);
  assert_int_equal(search.outcome, Outcome::kFound);
  assert_int_equal(search.location.offset, offset);
}

void AssertOutcome(std::uint32_t link_type, const std::vector<std::byte>& packet, Outcome outcome) {
  assert_int_equal(SearchIpHeader(link_type, packet).outcome, outcome);
}

void EthernetOfBothVersions(void**) {
  AssertFoundAt(kLinkTypeEthernet, Ethernet({0x08, 0x00, 0x45}), 14);
  AssertFoundAt(kLinkTypeEthernet, Ethernet({0x86, 0xdd, 0x60}), 14);
}

void VlanTagsAreSkipped(void**) {
  AssertFoundAt(kLinkTypeEthernet, Ethernet({0x81, 0x00, 0x00, 0x0a, 0x08, 0x00, 0x45}), 18);
  AssertFoundAt(kLinkTypeEthernet, Ethernet({0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x86, 0xdd, 0x60}),
                22);
  AssertFoundAt(kLinkTypeEthernet,
                Ethernet({0x91, 0x00, 0, 1, 0x91, 0x00, 0, 2, 0x81, 0x00, 0, 3, 0x08, 0x00, 0x45}),
                26);
}

void OtherEthernetIsNotIp(void**) {
  AssertOutcome(kLinkTypeEthernet, Ethernet({0x08, 0x06, 0x00, 0x01}), Outcome::kNotIp);
  AssertOutcome(kLinkTypeEthernet, Ethernet({0x81, 0x00, 0, 1, 0x08, 0x06}), Outcome::kNotIp);
  AssertOutcome(kLinkTypeEthernet, Ethernet({0x00, 0x26, 0x42, 0x42}), Outcome::kNotIp);
}

void TheVersionMustBeOneOfIp(void**) {
  AssertOutcome(kLinkTypeEthernet, Ethernet({0x08, 0x00, 0x55}), Outcome::kNotIp);
  AssertOutcome(kLinkTypeRaw, Bytes({0x00}), Outcome::kNotIp);
}

void ShortPacketsCannotSay(void**) {
  for (std::size_t size = 0; size < 14; ++size) {
    AssertOutcome(kLinkTypeEthernet, std::vector<std::byte>(size), Outcome::kTooShort);
  }
  AssertOutcome(kLinkTypeEthernet, Ethernet({0x81, 0x00, 0x00, 0x0a, 0x08}), Outcome::kTooShort);
}

void AHeaderCutOffEntirelyIsStillFound(void**) {
  AssertFoundAt(kLinkTypeEthernet, Ethernet({0x08, 0x00}), 14);
  AssertFoundAt(kLinkTypeLinuxSll2, Bytes({0x08, 0x00, 0, 0}), 20);
  AssertFoundAt(kLinkTypeRaw, {}, 0);
}

void RawBeginsAtOnce(void**) {
  for (const std::uint32_t link_type : {kLinkTypeRaw, kLinkTypeIpv4, kLinkTypeIpv6}) {
    AssertFoundAt(link_type, Bytes({0x45}), 0);
    AssertFoundAt(link_type, Bytes({0x60}), 0);
  }
}

void LinuxCooked(void**) {
  std::vector<std::byte> sll(14);
  for (const int number : {0x86, 0xdd, 0x60}) sll.push_back(static_cast<std::byte>(number));
  AssertFoundAt(kLinkTypeLinuxSll, sll, 16);
  std::vector<std::byte> sll2 = Bytes({0x08, 0x00});
  sll2.resize(20);
  sll2.push_back(std::byte{0x45});
  AssertFoundAt(kLinkTypeLinuxSll2, sll2, 20);
  sll2[1] = std::byte{0x06};
  AssertOutcome(kLinkTypeLinuxSll2, sll2, Outcome::kNotIp);
  AssertOutcome(kLinkTypeLinuxSll, std::vector<std::byte>(15), Outcome::kTooShort);
}

void NflogOfEitherByteOrder(void**) {
  // Family, version, resource; a prefix of 5 bytes, padded to 8; the payload.
  AssertFoundAt(kLinkTypeNflog, Bytes({2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 24, 0, 9, 0, 0x45}),
                16);
  AssertFoundAt(kLinkTypeNflog, Bytes({10, 0, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 24, 0, 9, 0x60}),
                16);
}

void DamagedNflogIsNotIp(void**) {
  AssertOutcome(kLinkTypeNflog, Bytes({2, 0, 0, 0, 0, 0, 0, 0, 0x45}), Outcome::kNotIp);
  AssertOutcome(kLinkTypeNflog, Bytes({2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0}), Outcome::kTooShort);
  AssertOutcome(kLinkTypeNflog, Bytes({2, 0, 0}), Outcome::kTooShort);
  AssertOutcome(kLinkTypeNflog, Bytes({2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}), Outcome::kNotIp);
}

void OtherLinkTypesAreNotKnown(void**) {
  for (const std::uint32_t link_type : {0U, 12U, 105U, 242U, 0xffffffffU}) {
    assert_false(KnowsLinkType(link_type));
    AssertOutcome(link_type, Bytes({0x45, 0, 0, 20}), Outcome::kUnknownLinkType);
  }
  for (const std::uint32_t link_type : {1U, 101U, 113U, 228U, 229U, 239U, 276U}) {
    assert_true(KnowsLinkType(link_type));
  }
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EthernetOfBothVersions),
      cmocka_unit_test(VlanTagsAreSkipped),
      cmocka_unit_test(OtherEthernetIsNotIp),
      cmocka_unit_test(TheVersionMustBeOneOfIp),
      cmocka_unit_test(ShortPacketsCannotSay),
      cmocka_unit_test(AHeaderCutOffEntirelyIsStillFound),
      cmocka_unit_test(RawBeginsAtOnce),
      cmocka_unit_test(LinuxCooked),
      cmocka_unit_test(NflogOfEitherByteOrder),
      cmocka_unit_test(DamagedNflogIsNotIp),
      cmocka_unit_test(OtherLinkTypesAreNotKnown),
  };
  return cmocka_run_group_tests_name("ip_header", tests, nullptr, nullptr);
}
