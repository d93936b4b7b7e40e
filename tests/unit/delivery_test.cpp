// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/delivery.h"

#include "extcap/filter/compile.h"
#include "tests/unit/capture_fixture.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/udp_packet.h"

namespace cloudflaredump::capture {
namespace {

/// Delivers files of a full capture with an exact plan unless the test says otherwise.
struct Scene : CaptureFixture {
  Outcome Run(const char* filter, const std::vector<PcapBytes>& files, bool exact = true,
              const config::OptionValues& given = {}, std::size_t cut = 0) {
    return With("cloudflare-ORD", given, filter, [&](const CaptureContext& context) {
      Outcome outcome;
      Delivery delivery(context, exact, pcap::FileReader::Order::kNearby, outcome);
      std::vector<FileToDeliver> to_deliver;
      for (const PcapBytes& file : files) {
        std::string bytes = ToText(file.bytes());
        bytes.resize(bytes.size() - cut);
        to_deliver.push_back({.bytes = std::make_unique<pcap::MemoryFile>(std::move(bytes)),
                              .name = Format("file %zu", to_deliver.size() + 1)});
      }
      outcome.Note(delivery.Deliver(std::move(to_deliver), [](std::size_t file) {
        CaptureDescription description;
        description.pcap_id = Format("id%zu", file);
        return description;
      }));
      delivery.Finish("asked", limit);
      return outcome;
    });
  }

  LimitState limit{.reached = {}, .known = true};
};

PcapBytes Ports(std::initializer_list<int> ports) {
  PcapBytes file;
  std::uint32_t second = 0;
  for (const int port : ports) file.Record(++second, 0, UdpPacket(1, 2, port));
  return file;
}

void PacketsAreTestedCountedAndMerged(void**) {
  Scene f;
  const Outcome outcome = f.Run("udp dst port 53", {Ports({53, 80, 53}), Ports({80, 53})});
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(outcome.counts.received, 5);
  assert_int_equal(outcome.counts.delivered, 3);
  assert_int_equal(outcome.counts.filtered_out, 2);
  const ReadStream stream = f.Read();
  assert_int_equal(stream.interfaces[1].received.value(), 2);
  assert_int_equal(stream.interfaces[1].delivered.value(), 1);
  AssertText(stream.interfaces[0].description.pcap_id.value(), "id0");
  AssertText(stream.interfaces[0].description.capture_filter.value(), "udp dst port 53");
  AssertContains(stream.interfaces[0].comment, outcome.verdict);
}

/// One match shows that the filter is right, whatever was rejected before it.
void AMatchSettlesWhatWasHeldBack(void**) {
  Scene f;
  const Outcome outcome = f.Run("udp dst port 53", {Ports({80, 80, 80, 53})});
  assert_int_equal(outcome.counts.delivered, 1);
  assert_int_equal(outcome.counts.filtered_out, 3);
  assert_int_equal(f.reporter.warnings.size(), 0);
}

void PacketsThatContradictAnExactPlanAreDeliveredAndMarked(void**) {
  Scene f;
  const Outcome outcome = f.Run("udp dst port 53", {Ports({80, 81})});
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(outcome.counts.delivered, 2);
  assert_int_equal(outcome.counts.unmatched, 2);
  assert_true(f.Read().interfaces[0].description.residual_mismatch.value());
  AssertContains(f.reporter.warnings.at(0), "local-filter off");
  AssertContains(outcome.verdict, "0 match the filter, 2 do not and were delivered all the same");
}

void AnInexactPlanHidesWhatDoesNotMatch(void**) {
  Scene f;
  AssertStatus(f.Run("udp dst port 53", {Ports({80, 81})}, false), ExitStatus::kNoPackets);
  assert_int_equal(f.Read().packets.size(), 0);
}

void WithoutTheLocalFilterAllIsDelivered(void**) {
  Scene f;
  const Outcome outcome = f.Run("udp dst port 53", {Ports({80, 53})}, true,
                                Given({{config::Opt::kLocalFilter, "off"}}));
  assert_int_equal(outcome.counts.delivered, 2);
  assert_int_equal(outcome.counts.unmatched, 1);
}

void MoreThanIsHeldBackIsDeliveredAtOnce(void**) {
  Scene f;
  PcapBytes file;
  const std::string large = UdpPacket(1, 2, 80, std::string(60000, 'x'));
  for (std::uint32_t i = 0; i < 400; ++i) file.Record(i + 1, 0, large);
  const Outcome outcome = f.Run("udp dst port 53", {file});
  assert_int_equal(outcome.counts.delivered, 400);
  assert_int_equal(f.reporter.warnings.size(), 1);
}

/// A full disk ends the stream before the second file has its interface.
void AStreamThatEndsEarlyLeavesFilesOut(void**) {
  Scene f;
  f.sink.room = 100'000;
  PcapBytes first;
  PcapBytes second;
  const std::string large = UdpPacket(1, 2, 53, std::string(60000, 'x'));
  for (std::uint32_t i = 0; i < 400; ++i) first.Record(i + 1, 0, large);
  second.Record(1000, 0, large);
  const Outcome outcome = f.Run("udp dst port 53", {first, second});
  assert_true(outcome.error.has_value());
  assert_int_equal(f.sink.bytes.size(), 100'000);
}

/// A file of a link type that cannot be filtered takes nothing from the others.
void WhatCannotBeTestedIsKept(void**) {
  Scene f;
  PcapBytes odd({.link_type = 147});
  odd.Record(2, 0, "user0");
  const Outcome outcome = f.Run("udp dst port 53", {Ports({53, 80, 53}), odd});
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(outcome.counts.delivered, 3);
  assert_int_equal(outcome.counts.untested, 1);
  AssertContains(outcome.verdict,
                 ", 2 match the filter, 1 could not be tested and was delivered all the same");
  AssertContains(outcome.verdict, "; file 2: ");
  assert_true(f.Read().packets[1].mark.undecided);
}

void ALossIsMarkedOnThePacketAfterItOrOnTheLast(void**) {
  Scene f;
  const Outcome outcome = f.Run("udp dst port 53", {Ports({53, 53, 53})}, true, {}, 1);
  AssertStatus(outcome, ExitStatus::kIncomplete);
  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 2);
  AssertContains(stream.packets[1].mark.damaged.value(), "file 1: the file is cut");
  // The last good packet is rejected: the mark goes to the last that is delivered.
  Scene rejected;
  rejected.Run("udp dst port 53", {Ports({53, 80, 53})}, true, {}, 1);
  AssertContains(rejected.Read().packets.at(0).mark.damaged.value(), "file 1: the file is cut");
}

void ALimitIsMarkedOnTheLastPacket(void**) {
  Scene f;
  f.limit.reached = "2 packets";
  const Outcome outcome = f.Run("", {Ports({53, 80})});
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "the limit of 2 packets was reached");
  assert_false(f.Read().packets[0].mark.limit_reached);
  assert_true(f.Read().packets[1].mark.limit_reached);
  AssertText(f.Read().packets[1].mark.coverage_first.value(), "1970-01-01T00:00:01Z");
}

void UnknownLimitsAreNotCalledComplete(void**) {
  Scene f;
  f.limit.known = false;
  const Outcome outcome = f.Run("", {Ports({53})});
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "Complete as far as can be told: asked");
}

void DisorderIsTold(void**) {
  Scene f;
  PcapBytes file;
  for (std::uint32_t i = 0; i < 200; ++i) file.Record(1000 - i, 0, "x");
  const Outcome outcome = f.Run("", {file});
  assert_true(outcome.out_of_order > 100);
  AssertContains(outcome.verdict, " came out of order");
}

void AReaderThatFailsEndsIt(void**) {
  Scene f;
  f.sink.room = 0;
  const Outcome outcome = f.Run("", {Ports({53, 53})});
  assert_true(outcome.error.has_value());
  AssertContains(SentenceOf(*outcome.error), "No space left");
  AssertContains(outcome.verdict, "Incomplete: asked");
}

void LeavingDeliversNothingMore(void**) {
  Scene f;
  f.stop.Leave();
  PcapBytes file;
  for (std::uint32_t i = 0; i < 5000; ++i) file.Record(i + 1, 0, "x");
  const Outcome outcome = f.Run("", {file});
  assert_true(outcome.stopped);
  assert_true(outcome.counts.delivered < 2000);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  cloudflaredump::filter::ForbidNameLookup();
  const CMUnitTest tests[] = {
      cmocka_unit_test(PacketsAreTestedCountedAndMerged),
      cmocka_unit_test(AMatchSettlesWhatWasHeldBack),
      cmocka_unit_test(PacketsThatContradictAnExactPlanAreDeliveredAndMarked),
      cmocka_unit_test(AnInexactPlanHidesWhatDoesNotMatch),
      cmocka_unit_test(WithoutTheLocalFilterAllIsDelivered),
      cmocka_unit_test(MoreThanIsHeldBackIsDeliveredAtOnce),
      cmocka_unit_test(WhatCannotBeTestedIsKept),
      cmocka_unit_test(AStreamThatEndsEarlyLeavesFilesOut),
      cmocka_unit_test(ALossIsMarkedOnThePacketAfterItOrOnTheLast),
      cmocka_unit_test(ALimitIsMarkedOnTheLastPacket),
      cmocka_unit_test(UnknownLimitsAreNotCalledComplete),
      cmocka_unit_test(DisorderIsTold),
      cmocka_unit_test(AReaderThatFailsEndsIt),
      cmocka_unit_test(LeavingDeliversNothingMore),
  };
  return cmocka_run_group_tests_name("delivery", tests, nullptr, nullptr);
}
