// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/box.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::filter {
namespace {

Box Full() {
  return {.source_address = Ipv4Address(0x01020304),
          .destination_address = Ipv4Address(0x05060708),
          .source_port = 123,
          .destination_port = 80,
          .protocol = 6};
}

Box OfProtocol(std::uint8_t protocol) {
  Box box;
  box.protocol = protocol;
  return box;
}

void AddressesAreWrittenAsUsual(void**) {
  AssertText(Ipv4Address(0xcb007107).ToString(), "203.0.113.7");
  AssertText(Ipv4Address(0).ToString(), "0.0.0.0");
  IpAddress address{.version = 6};
  AssertText(address.ToString(), "::");
  address.bytes = {0x20, 0x01, 0x0d, 0xb8};
  address.bytes[15] = 1;
  AssertText(address.ToString(), "2001:db8::1");
}

void BoxesAreWrittenAsFilters(void**) {
  AssertText(BoxAsFilter({}), "");
  AssertText(BoxAsFilter(Full()),
             "src host 1.2.3.4 and dst host 5.6.7.8 and tcp src port 123 and tcp dst port 80");
  AssertText(BoxAsFilter(OfProtocol(1)), "icmp");
  AssertText(BoxAsFilter(OfProtocol(58)), "icmp6");
  AssertText(BoxAsFilter(OfProtocol(47)), "proto 47");
  Box port;
  port.destination_port = 53;
  AssertText(BoxAsFilter(port), "dst port 53");
  port.protocol = 132;
  AssertText(BoxAsFilter(port), "sctp dst port 53");
}

void InsideMeansPinnedAtLeastAlike(void**) {
  assert_true(IsInside(Full(), Box{}));
  assert_true(IsInside(Full(), Full()));
  assert_true(IsInside(Full(), OfProtocol(6)));
  assert_false(IsInside(Full(), OfProtocol(17)));
  assert_false(IsInside(Box{}, OfProtocol(6)));
}

void TheJoinHoldsBothAndNoMoreThanItMust(void**) {
  Box other = Full();
  other.source_port = 124;
  const Box joined = Join(Full(), other);
  assert_true(IsInside(Full(), joined) && IsInside(other, joined));
  assert_int_equal(PinnedBits(joined), PinnedBits(Full()) - 16);
  assert_true(Join(Full(), Box{}) == Box{});
}

void BitsAreThoseOfTheFields(void**) {
  assert_int_equal(PinnedBits(Box{}), 0);
  assert_int_equal(PinnedBits(Full()), 32 + 32 + 16 + 16 + 8);
  Box box;
  box.source_address = IpAddress{.version = 6};
  assert_int_equal(PinnedBits(box), 128);
  assert_true(PinsAddress(box));
  assert_false(PinsPort(box));
}

void TheDestinationComesFirst(void**) {
  Box destination;
  destination.destination_address = Ipv4Address(0xffffffff);
  Box source;
  source.source_address = Ipv4Address(1);
  Box port;
  port.destination_port = 1;
  assert_true(ComesBefore(destination, source));
  assert_true(ComesBefore(destination, port));
  assert_true(ComesBefore(port, source));
  assert_true(ComesBefore(source, OfProtocol(1)));
  assert_true(ComesBefore(OfProtocol(1), OfProtocol(2)));
  assert_false(ComesBefore(source, source));
}

void ABoxBecomesAFilter(void**) {
  assert_true(ToFilterV1(Box()) == FilterV1());
  Box box;
  box.source_address = IpAddress{.version = 4, .bytes = {192, 0, 2, 1}};
  box.destination_address = IpAddress{.version = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8}};
  box.source_port = 0;
  box.destination_port = 65535;
  box.protocol = 17;
  assert_true(ToFilterV1(box) == (FilterV1{.source_address = "192.0.2.1",
                                           .destination_address = "2001:db8::",
                                           .source_port = 0,
                                           .destination_port = 65535,
                                           .protocol = 17}));
}

}  // namespace
}  // namespace cloudflaredump::filter

int main() {
  using namespace cloudflaredump::filter;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AddressesAreWrittenAsUsual),
      cmocka_unit_test(BoxesAreWrittenAsFilters),
      cmocka_unit_test(InsideMeansPinnedAtLeastAlike),
      cmocka_unit_test(TheJoinHoldsBothAndNoMoreThanItMust),
      cmocka_unit_test(BitsAreThoseOfTheFields),
      cmocka_unit_test(TheDestinationComesFirst),
      cmocka_unit_test(ABoxBecomesAFilter),
  };
  return cmocka_run_group_tests_name("box", tests, nullptr, nullptr);
}
