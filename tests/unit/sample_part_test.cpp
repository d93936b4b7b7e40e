// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_part.h"

#include "tests/unit/pcap_bytes.h"
#include "tests/unit/results.h"
#include "tests/unit/udp_packet.h"

namespace cloudflaredump::capture {
namespace {

filter::CaptureFilter Compiled(const char* text) {
  return ValueOf(filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse));
}

api::PcapJob Job() {
  api::PcapJob job;
  job.id = "abc";
  job.packet_limit = 3;
  return job;
}

std::string FileOf(const PcapBytes& pcap) {
  return ToText(pcap.bytes());
}

SamplePart ReadGood(const PcapBytes& pcap, const char* filter) {
  return ValueOf(ReadSample(Job(), FileOf(pcap), true, Compiled(filter)));
}

void EveryPacketIsKeptWithTheFiltersWord(void**) {
  const PcapBytes file =
      PcapBytes()
          .Record(100, 5, UdpPacket(1, 2, 53))
          .Record(90, 0, UdpPacket(1, 2, 80))
          .Record(101, 7, UdpPacket(1, 2, 53).substr(0, 21), 60);  // cut before the ports
  const SamplePart part = ReadGood(file, "udp port 53");
  assert_int_equal(part.packets.size(), 3);
  assert_int_equal(part.packets[0].answer, filter::FilterAnswer::kMatches);
  assert_int_equal(part.packets[1].answer, filter::FilterAnswer::kRejects);
  assert_int_equal(part.packets[2].answer, filter::FilterAnswer::kUndecided);
  assert_int_equal(part.packets[2].packet.original_length, 60);
  const PacketCounts counts = part.Count();
  assert_int_equal(counts.received, 3);
  assert_int_equal(counts.filtered_out, 1);
  assert_int_equal(counts.undecided, 1);
  AssertText(part.job.id, "abc");
  assert_false(part.damage.has_value());
  assert_true(part.end_is_certain);
  assert_int_equal(part.header.link_type, 101);
}

/// Times are those of all packets, whatever their order in the file, in nanoseconds.
void TheFirstAndTheLastTimeAreFound(void**) {
  const SamplePart micro =
      ReadGood(PcapBytes().Record(100, 5, "a").Record(90, 1, "b").Record(95, 0, "c"), "");
  assert_int_equal(micro.first_nanoseconds(), 90'000'001'000);
  assert_int_equal(micro.last_nanoseconds(), 100'000'005'000);
  const SamplePart nano =
      ReadGood(PcapBytes({.magic = 0xa1b23c4d}).Record(90, 1, "b").Record(91, 2, "c"), "");
  assert_int_equal(nano.first_nanoseconds(), 90'000'000'001);
  assert_int_equal(nano.last_nanoseconds(), 91'000'000'002);
}

void AFileWithoutPacketsIsGood(void**) {
  const SamplePart part = ReadGood(PcapBytes(), "udp");
  assert_int_equal(part.Count().received, 0);
  assert_int_equal(part.first_nanoseconds(), 0);
  assert_int_equal(part.last_nanoseconds(), 0);
  assert_false(part.LimitReached());
}

void TheLimitIsReachedByReceivedPackets(void**) {
  PcapBytes file;
  file.Record(1, 0, "a").Record(2, 0, "b");
  assert_false(ReadGood(file, "udp port 53").LimitReached());
  file.Record(3, 0, "c");
  SamplePart part = ReadGood(file, "udp port 53");
  assert_true(part.LimitReached());
  part.job.packet_limit.reset();
  assert_false(part.LimitReached());
}

void ADamagedFileGivesItsGoodPackets(void**) {
  const std::string whole =
      FileOf(PcapBytes().Record(1, 0, UdpPacket(1, 2, 53)).Record(2, 0, UdpPacket(1, 2, 53)));
  for (std::size_t size = 24; size < whole.size(); ++size) {
    const SamplePart part =
        ValueOf(ReadSample(Job(), whole.substr(0, size), true, Compiled("udp port 53")));
    const std::size_t good = (size - 24) / ((whole.size() - 24) / 2);
    assert_int_equal(part.packets.size(), good);
    const bool between = (size - 24) % ((whole.size() - 24) / 2) == 0;
    assert_int_equal(part.damage.has_value(), !between);
  }
}

void AnUncertainEndIsKept(void**) {
  assert_false(ValueOf(ReadSample(Job(), FileOf(PcapBytes()), false, Compiled(""))).end_is_certain);
}

void WhatIsNoCaptureFileIsAnError(void**) {
  for (const std::string& bytes :
       {std::string(), std::string("<html>no</html> and so on and on"), std::string("{}"),
        std::string("{\"success\":false,\"errors\":[]}"), FileOf(PcapBytes()).substr(0, 23)}) {
    AssertFails(ReadSample(Job(), bytes, true, Compiled("")), Error::Kind::kFinal,
                "the download of capture abc is not a capture file: ");
  }
}

void AFilterAboutTheLinkLayerNeedsALinkLayer(void**) {
  for (const std::uint32_t link_type : {101U, 1U}) {
    const std::string file = FileOf(PcapBytes({.link_type = link_type}).Record(1, 0, "x"));
    const SamplePart part =
        ValueOf(ReadSample(Job(), file, true, Compiled("ether host 2:0:0:0:0:1")));
    assert_int_equal(part.Count().undecided, link_type == 101 ? 1 : 0);
    assert_int_equal(part.Count().filtered_out, link_type == 101 ? 0 : 1);
  }
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPacketIsKeptWithTheFiltersWord),
      cmocka_unit_test(TheFirstAndTheLastTimeAreFound),
      cmocka_unit_test(AFileWithoutPacketsIsGood),
      cmocka_unit_test(TheLimitIsReachedByReceivedPackets),
      cmocka_unit_test(ADamagedFileGivesItsGoodPackets),
      cmocka_unit_test(AnUncertainEndIsKept),
      cmocka_unit_test(WhatIsNoCaptureFileIsAnError),
      cmocka_unit_test(AFilterAboutTheLinkLayerNeedsALinkLayer),
  };
  return cmocka_run_group_tests_name("sample_part", tests, nullptr, nullptr);
}
