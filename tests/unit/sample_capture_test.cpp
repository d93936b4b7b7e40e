// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_capture.h"

#include "tests/unit/sample_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

void OneRequestDeliversWhatMatches(void**) {
  SampleFixture f;
  const std::string match = UdpPacket(1, 2, 53);
  f.cloudflare.files = {File(PcapBytes()
                                 .Record(kWindowSeconds + 5, 1, UdpPacket(1, 2, 80))
                                 .Record(kWindowSeconds + 6, 123456, match, 1500))};
  const Outcome outcome = f.Run({}, "udp dst port 53");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 1);
  AssertText(f.cloudflare.samples[0].body,
             R"({"type":"simple","system":"magic-transit","time_limit":300,"packet_limit":10000,)"
             R"("offset_time":"2026-11-23T06:20:00Z","filter_v1":{"destination_port":53,)"
             R"("protocol":17}})");

  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 1);
  assert_true(stream.packets[0].data == match);
  assert_int_equal(stream.packets[0].original_length, 1500);
  assert_int_equal(stream.packets[0].ticks, (kWindowSeconds + 6) * 1'000'000ULL + 123456);
  assert_true(stream.packets[0].mark == PacketMark());
  AssertText(outcome.verdict,
             "Complete: sample from 06:15:00 to 06:20:00 UTC, 2 packets received, 1 matches the "
             "filter, from 2026-11-23T06:15:05Z to 2026-11-23T06:15:06.123Z.");
  assert_int_equal(outcome.counts.filtered_out, 1);
  AssertText(outcome.pcap_ids.at(0), f.cloudflare.samples[0].id);
}

void TheInterfaceSaysWhatWasCaptured(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds + 1, 0, UdpPacket(1, 2, 53)))};
  const Outcome outcome = f.Run(Given({{config::Opt::kPacketLimit, "50"}}), "udp dst port 53");
  const ReadStream stream = f.Read();
  assert_int_equal(stream.interfaces.size(), 1);
  const ReadInterface& interface = stream.interfaces[0];
  assert_int_equal(interface.link_type, 101);
  AssertText(interface.name, "cloudflare-sample");
  AssertText(interface.filter, "udp dst port 53");
  assert_int_equal(interface.received.value(), 1);
  assert_int_equal(interface.delivered.value(), 1);
  AssertText(interface.comment, outcome.verdict);
  const CaptureDescription& told = interface.description;
  AssertText(told.pcap_id.value(), f.cloudflare.samples[0].id);
  AssertText(told.type.value(), "simple");
  AssertText(told.status.value(), "success");
  AssertText(told.submitted.value(), "2026-11-23T06:20:00Z");
  AssertText(told.offset_time.value(), "2026-11-23T06:20:00Z");
  AssertText(told.capture_filter.value(), "udp dst port 53");
  AssertText(told.coverage_first.value(), "2026-11-23T06:15:01Z");
  AssertText(told.coverage_last.value(), "2026-11-23T06:15:01Z");
  assert_int_equal(told.time_limit.value(), 300);
  assert_int_equal(told.packet_limit.value(), 50);
  assert_int_equal(told.filter_v1.destination_port.value(), 53);
  assert_int_equal(told.request.value(), 1);
  assert_int_equal(told.requests.value(), 1);
  assert_false(told.colo.has_value());
  assert_false(told.limit_reached.value_or(false));
}

void TheEmptyFilterAsksForEverything(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "not even IP"))};
  AssertStatus(f.Run({}, ""), ExitStatus::kComplete);
  AssertText(f.cloudflare.Asked(0, "filter_v1"), "{}");
  AssertText(f.Read().Data(), "not even IP");
  AssertText(f.Read().interfaces[0].filter, "");
  assert_false(f.Read().interfaces[0].description.capture_filter.has_value());
}

/// Both directions of a host are two requests over one and the same window.
void TwoRequestsShareOneWindow(void**) {
  SampleFixture f;
  const std::string in1 = UdpPacket(9, 1, 53, "in1");
  const std::string in2 = UdpPacket(9, 1, 53, "in2");
  const std::string out1 = UdpPacket(1, 9, 53, "out1");
  f.cloudflare.files = {
      File(PcapBytes().Record(kWindowSeconds + 1, 0, in1).Record(kWindowSeconds + 3, 0, in2)),
      File(PcapBytes().Record(kWindowSeconds + 2, 0, out1))};
  AssertStatus(f.Run({}, "host 10.0.0.1"), ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 2);
  AssertText(f.cloudflare.Asked(0, "filter_v1"), R"({"destination_address":"10.0.0.1"})");
  AssertText(f.cloudflare.Asked(1, "filter_v1"), R"({"source_address":"10.0.0.1"})");
  for (const std::size_t request : {0, 1}) {
    AssertText(f.cloudflare.Asked(request, "offset_time"), "2026-11-23T06:20:00Z");
    AssertText(f.cloudflare.Asked(request, "time_limit"), "300");
  }
  const Duration between = f.cloudflare.samples[1].posted - f.cloudflare.samples[0].posted;
  assert_true(between >= 60s && between < 63s);
  assert_true(f.Told("inbound done, 2 packets; waiting 50 s for outbound"));
  assert_true(f.Told("inbound done, 2 packets; downloading"));

  const ReadStream stream = f.Read();
  assert_int_equal(stream.interfaces.size(), 2);
  assert_int_equal(stream.packets.size(), 3);
  assert_true(stream.packets[0].data == in1);
  assert_true(stream.packets[1].data == out1);
  assert_true(stream.packets[2].data == in2);
  assert_int_equal(stream.packets[1].interface_id, 1);
  assert_int_equal(stream.interfaces[1].description.request.value(), 2);
  assert_int_equal(stream.interfaces[1].description.requests.value(), 2);
}

/// Two requests of one direction have numbers: one word for both tells nobody which is awaited.
void RequestsOfOneDirectionAreNumbered(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes()), File(PcapBytes())};
  f.Run({}, "dst host 10.0.0.1 or dst host 10.9.0.2");
  assert_int_equal(f.cloudflare.samples.size(), 2);
  assert_true(f.Told("request 1 done, 0 packets; waiting 50 s for request 2"));
}

void APacketOfBothRequestsIsDeliveredOnce(void**) {
  SampleFixture f;
  const std::string itself = UdpPacket(1, 1, 53);
  const PcapBytes twice =
      PcapBytes().Record(kWindowSeconds + 1, 0, itself).Record(kWindowSeconds + 1, 0, itself);
  f.cloudflare.files = {File(twice), File(PcapBytes().Record(kWindowSeconds + 1, 0, itself))};
  const Outcome outcome = f.Run({}, "host 10.0.0.1");
  assert_int_equal(f.Read().packets.size(), 2);
  assert_int_equal(outcome.counts.received, 3);
  assert_int_equal(outcome.counts.delivered, 2);
  assert_int_equal(outcome.counts.duplicates, 1);
}

void OneRequestPerWindowAsksForMoreAndFiltersHere(void**) {
  SampleFixture f;
  const std::string match = UdpPacket(1, 9, 53);
  f.cloudflare.files = {File(
      PcapBytes().Record(kWindowSeconds, 0, UdpPacket(8, 9, 53)).Record(kWindowSeconds, 1, match))};
  AssertStatus(f.Run(Given({{config::Opt::kRequestsPerWindow, "1"}}), "host 10.0.0.1"),
               ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 1);
  AssertText(f.cloudflare.Asked(0, "filter_v1"), "{}");
  assert_int_equal(f.Read().packets.size(), 1);
  assert_true(f.Read().packets[0].data == match);
}

void PacketsComeInTheOrderOfTime(void**) {
  SampleFixture f;
  PcapBytes file;
  for (const std::uint32_t second : {5, 3, 9, 3}) {
    file.Record(kWindowSeconds + second, second, std::to_string(second));
  }
  f.cloudflare.files = {File(file)};
  AssertStatus(f.Run({}, ""), ExitStatus::kComplete);
  AssertText(f.Read().Data(), "3 3 5 9");
}

constexpr std::uint32_t kSeam = kWindowSeconds;  // of the windows of ten minutes up to now

void ASpanRunsOldestFirstAndStreamsEachWindow(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kSeam - 100, 0, "old")),
                        File(PcapBytes().Record(kSeam + 100, 0, "new"))};
  std::string in_file_at_second_post;
  f.loop.CallAt(system::SteadyTime() + 55s, [&] { in_file_at_second_post = f.Read().Data(); });
  const Outcome outcome = f.Run(Given({{config::Opt::kStartTime, "-10m"}}), "");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 2);
  AssertText(f.cloudflare.Asked(0, "offset_time"), "2026-11-23T06:15:00Z");
  AssertText(f.cloudflare.Asked(1, "offset_time"), "2026-11-23T06:20:00Z");
  AssertText(in_file_at_second_post, "old");
  AssertText(f.Read().Data(), "old new");
  AssertContains(outcome.verdict, "sample from 06:10:00 to 06:20:00 UTC, 2 packets received");
}

/// Whether Cloudflare's windows hold their ends is not published: the larger of the two multisets
/// at the shared instant is delivered.
void ASeamHasNoGapAndNoDuplicate(void**) {
  struct Row {
    std::vector<const char*> before;  // at the seam, as the older window has them
    std::vector<const char*> after;
    const char* delivered;
  };
  for (const Row& row : {
           Row{{"a", "b"}, {"a", "b"}, "first a b last"},
           Row{{"a", "b"}, {}, "first a b last"},
           Row{{}, {"a", "b"}, "first a b last"},
           Row{{"a", "a"}, {"a"}, "first a a last"},
           Row{{"a"}, {"a", "a"}, "first a a last"},
           Row{{"a"}, {"b"}, "first a b last"},
       }) {
    SampleFixture f;
    PcapBytes older;
    PcapBytes newer;
    older.Record(kSeam - 1, 999999, "first");
    for (const char* data : row.before) older.Record(kSeam, 0, data);
    for (const char* data : row.after) newer.Record(kSeam, 0, data);
    newer.Record(kSeam, 1, "last");
    f.cloudflare.files = {File(older), File(newer)};
    AssertStatus(f.Run(Given({{config::Opt::kStartTime, "-10m"}}), ""), ExitStatus::kComplete);
    AssertText(f.Read().Data(), row.delivered);
  }
}

/// Equal records elsewhere than at a seam are the network's own.
void RepeatedRecordsInsideAWindowStay(void**) {
  SampleFixture f;
  const PcapBytes same = PcapBytes().Record(kSeam - 7, 0, "x").Record(kSeam - 7, 0, "x");
  f.cloudflare.files = {File(same), File(same)};
  AssertStatus(f.Run(Given({{config::Opt::kStartTime, "-10m"}}), ""), ExitStatus::kComplete);
  AssertText(f.Read().Data(), "x x x x");
}

void TwoRequestsOverAThirtyMinuteSpanArePaced(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes())};
  AssertStatus(f.Run(Given({{config::Opt::kStartTime, "-30m"}}), "host 10.0.0.1"),
               ExitStatus::kNoPackets);
  assert_int_equal(f.cloudflare.samples.size(), 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const WallTime end{std::chrono::seconds(kNowSeconds - 1800 + 300 * (i / 2 + 1))};
    AssertText(f.cloudflare.Asked(i, "offset_time"), FormatRfc3339(end));
    if (i == 0) continue;
    assert_true(f.cloudflare.samples[i].posted - f.cloudflare.samples[i - 1].posted >= 60s);
  }
}

void ADayIsRefusedWithItsPrice(void**) {
  SampleFixture f;
  const Outcome outcome = f.Run(Given({{config::Opt::kStartTime, "-24h"}}), "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kUsage);
  AssertContains(SentenceOf(*outcome.error),
                 "this takes 576 requests (288 windows, 2 each) at one a minute, about 9 h 36 "
                 "min, and max-requests is 12;");
  assert_true(f.http.requests.empty());
  AssertText(f.sink.bytes, "");
}

void ABadTimeIsRefusedUnasked(void**) {
  SampleFixture f;
  AssertStatus(f.Run(Given({{config::Opt::kStartTime, "soon"}}), ""), ExitStatus::kUsage);
  assert_true(f.http.requests.empty());
}

void AnotherSampleOfTheAccountIsAwaited(void**) {
  SampleFixture f;
  f.cloudflare.others = {R"({"id":"x","type":"simple","submitted":"2026-11-23T06:19:40Z"})"};
  f.cloudflare.files = {File(PcapBytes())};
  AssertStatus(f.Run({}, ""), ExitStatus::kNoPackets);
  assert_true(f.cloudflare.samples[0].posted.time_since_epoch() == 40500ms);
  AssertText(f.reporter.states[0], "waiting 40 s for Cloudflare's next sample");
  // The window was fixed before the wait.
  AssertText(f.cloudflare.Asked(0, "offset_time"), "2026-11-23T06:20:00Z");
}

void StatesAreTold(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes())};
  AssertStatus(f.Run({}, ""), ExitStatus::kNoPackets);
  std::string all;
  for (const std::string& state : f.reporter.states) all += state + "; ";
  // Every second, though Cloudflare is asked less often.
  AssertText(all,
             "pending, 0 s; pending, 1 s; pending, 2 s; pending, 3 s; pending, 4 s; pending, 5 s; "
             "success, 6 s; downloading; ");
}

void NoPacketsNamesTheCauses(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes())};
  const Outcome outcome = f.Run({}, "udp dst port 53");
  AssertStatus(outcome, ExitStatus::kNoPackets);
  AssertContains(outcome.verdict, "0 packets received, 0 match the filter; likely causes: ");
  assert_int_equal(f.Read().interfaces.size(), 1);
  assert_int_equal(f.Read().interfaces[0].received.value(), 0);
  assert_false(f.Read().interfaces[0].description.coverage_first.has_value());
}

void TheLimitReachedIsSaidEverywhere(void**) {
  SampleFixture f;
  f.cloudflare.files = {
      File(PcapBytes().Record(kWindowSeconds, 0, "a").Record(kWindowSeconds, 1, "b"))};
  const Outcome outcome = f.Run(Given({{config::Opt::kPacketLimit, "2"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "; the limit of 2 packets was reached, so the window is not");
  assert_true(f.Read().interfaces[0].description.limit_reached.value());
}

/// A Cloudflare that has a packet a second and gives the first `limit` of a window.
void ServeAPacketASecond(SampleFixture& f, std::uint32_t limit) {
  f.http.Serve("GET", "*/download", [&f, limit](const http::HttpRequest& request) {
    const auto number =
        static_cast<std::size_t>(std::atoi(request.url.substr(request.url.size() - 11, 2).c_str()));
    const std::string end = f.cloudflare.Asked(number - 1, "offset_time");
    const auto last = static_cast<std::uint32_t>(
        std::chrono::floor<std::chrono::seconds>(*ParseRfc3339(end)).time_since_epoch().count());
    const auto length =
        static_cast<std::uint32_t>(std::stoi(f.cloudflare.Asked(number - 1, "time_limit")));
    PcapBytes file;
    for (std::uint32_t i = 0; i <= length && i < limit; ++i) {
      file.Record(last - length + i, 0, std::to_string(last - length + i));
    }
    return File(file);
  });
}

/// 301 packets, of which Cloudflare gives 100 at once.
void AWindowAtTheLimitIsAskedInHalves(void**) {
  SampleFixture f;
  ServeAPacketASecond(f, 100);
  const Outcome outcome = f.Run(Given({{config::Opt::kPacketLimit, "100"}}), "");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.samples.size(), 7);  // 300 s, twice 150 s, four times 75 s
  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 301);
  for (std::uint32_t i = 0; i < 301; ++i) {
    assert_true(stream.packets[i].data == std::to_string(kWindowSeconds + i));
  }
  assert_true(outcome.losses.empty());
  assert_int_equal(stream.interfaces.size(), 4);
}

/// Halves that --max-requests does not allow are not begun: what came is delivered, and its share.
void HalvesStayWithinTheRequestsAllowed(void**) {
  SampleFixture f;
  ServeAPacketASecond(f, 100);
  const Outcome outcome =
      f.Run(Given({{config::Opt::kPacketLimit, "100"}, {config::Opt::kMaxRequests, "4"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 3);
  AssertContains(outcome.verdict, "not covered to its end (2 times); 66% of the time is covered");
  assert_int_equal(f.Read().packets.size(), 200);
  assert_int_equal(f.Read().interfaces[0].description.coverage_share.value(), 66);
}

/// A stop among the halves delivers what the whole window had brought, none of it twice.
void AStopAmongTheHalvesKeepsWhatIsHeld(void**) {
  SampleFixture f;
  ServeAPacketASecond(f, 100);
  f.loop.CallAt(f.loop.Steady() + 150s, [&f] { f.stop.Request(); });
  const Outcome outcome = f.Run(Given({{config::Opt::kPacketLimit, "100"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.Read().packets.size(), 100);
  assert_true(outcome.stopped);
}

void HalvesAreNoRequestsThatWereNotMade(void**) {
  SampleFixture f;
  ServeAPacketASecond(f, 100);
  f.loop.CallAt(f.loop.Steady() + 150s, [&f] { f.stop.Request(); });
  const Outcome outcome = f.Run(Given({{config::Opt::kPacketLimit, "100"},
                                       {config::Opt::kTimeLimit, "300"},
                                       {config::Opt::kStartTime, "-1h"},
                                       {config::Opt::kEndTime, "-50m"}}),
                                "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 3);
  AssertContains(outcome.verdict, "1 of 2 requests were not made");
}

void TimesOfAnotherDayHaveItsDate(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes())};
  const Outcome outcome =
      f.Run(Given({{config::Opt::kStartTime, "-20h"}, {config::Opt::kEndTime, "-1195m"}}), "udp");
  AssertContains(outcome.verdict, " UTC of 20");
}

void OneSecondIsNotHalved(void**) {
  SampleFixture f;
  ServeAPacketASecond(f, 1);
  const Outcome outcome =
      f.Run(Given({{config::Opt::kPacketLimit, "1"}, {config::Opt::kTimeLimit, "1"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 1);
}

void APacketCutTooShortIsKeptAndMarked(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes()
                                 .Record(kWindowSeconds, 0, UdpPacket(1, 2, 53).substr(0, 20), 500)
                                 .Record(kWindowSeconds, 1, UdpPacket(1, 2, 53)))};
  const Outcome outcome = f.Run({}, "udp dst port 53");
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "2 match the filter (1 of them cut too short to be sure)");
  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 2);
  assert_true(stream.packets[0].mark.undecided);
  assert_false(stream.packets[1].mark.undecided);
}

void WithoutTheLocalFilterAllComes(void**) {
  SampleFixture f;
  f.cloudflare.files = {
      File(PcapBytes().Record(kWindowSeconds, 0, "x").Record(kWindowSeconds, 1, "y"))};
  AssertStatus(f.Run(Given({{config::Opt::kLocalFilter, "off"}}), "udp dst port 53"),
               ExitStatus::kComplete);
  AssertText(f.Read().Data(), "x y");
  assert_true(f.reporter.warnings.empty());
}

/// Packets that contradict an exact request are the only evidence of what is going on.
void AnExactRequestsMismatchIsDeliveredAndMarked(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, UdpPacket(1, 2, 4789)))};
  AssertStatus(f.Run({}, "dst host 10.0.0.7"), ExitStatus::kComplete);
  assert_int_equal(f.Read().packets.size(), 1);
  assert_true(f.Read().interfaces[0].description.residual_mismatch.value());
  assert_int_equal(f.reporter.warnings.size(), 1);
  AssertContains(f.reporter.warnings[0], "local-filter off");
}

void AnInexactRequestsMismatchIsFilteredOut(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, UdpPacket(1, 2, 4789)))};
  const Outcome outcome = f.Run({}, "udp dst port 53 and len > 100");
  AssertStatus(outcome, ExitStatus::kNoPackets);
  AssertContains(outcome.verdict, "turn the option local-filter off to see what came");
  assert_true(f.Read().packets.empty());
  assert_true(f.reporter.warnings.empty());
}

void OriginalsAreKeptAsTheyCame(void**) {
  SampleFixture f;
  const FakeAnswer file = File(PcapBytes().Record(kWindowSeconds, 0, "x"));
  f.cloudflare.files = {file};
  AssertStatus(f.Run(Given({{config::Opt::kKeepOriginals, f.folder / "kept"}}), ""),
               ExitStatus::kComplete);
  const std::string path = f.folder / ("kept/pcap_" + f.cloudflare.samples[0].id + ".pcap");
  assert_true(ReadFile(path) == file.body);
  assert_int_equal(ModeOf(path), 0600);
}

void AFolderThatCannotKeepThemCostsNothing(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  AssertStatus(f.Run(Given({{config::Opt::kKeepOriginals, "/dev/null/kept"}}), ""),
               ExitStatus::kComplete);
  AssertContains(f.reporter.warnings.at(0), "the original file was not kept: cannot write");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OneRequestDeliversWhatMatches),
      cmocka_unit_test(TheInterfaceSaysWhatWasCaptured),
      cmocka_unit_test(TheEmptyFilterAsksForEverything),
      cmocka_unit_test(TwoRequestsShareOneWindow),
      cmocka_unit_test(RequestsOfOneDirectionAreNumbered),
      cmocka_unit_test(APacketOfBothRequestsIsDeliveredOnce),
      cmocka_unit_test(OneRequestPerWindowAsksForMoreAndFiltersHere),
      cmocka_unit_test(PacketsComeInTheOrderOfTime),
      cmocka_unit_test(ASpanRunsOldestFirstAndStreamsEachWindow),
      cmocka_unit_test(ASeamHasNoGapAndNoDuplicate),
      cmocka_unit_test(RepeatedRecordsInsideAWindowStay),
      cmocka_unit_test(TwoRequestsOverAThirtyMinuteSpanArePaced),
      cmocka_unit_test(ADayIsRefusedWithItsPrice),
      cmocka_unit_test(ABadTimeIsRefusedUnasked),
      cmocka_unit_test(AnotherSampleOfTheAccountIsAwaited),
      cmocka_unit_test(StatesAreTold),
      cmocka_unit_test(NoPacketsNamesTheCauses),
      cmocka_unit_test(TheLimitReachedIsSaidEverywhere),
      cmocka_unit_test(AWindowAtTheLimitIsAskedInHalves),
      cmocka_unit_test(HalvesStayWithinTheRequestsAllowed),
      cmocka_unit_test(AStopAmongTheHalvesKeepsWhatIsHeld),
      cmocka_unit_test(HalvesAreNoRequestsThatWereNotMade),
      cmocka_unit_test(TimesOfAnotherDayHaveItsDate),
      cmocka_unit_test(OneSecondIsNotHalved),
      cmocka_unit_test(APacketCutTooShortIsKeptAndMarked),
      cmocka_unit_test(WithoutTheLocalFilterAllComes),
      cmocka_unit_test(AnExactRequestsMismatchIsDeliveredAndMarked),
      cmocka_unit_test(AnInexactRequestsMismatchIsFilteredOut),
      cmocka_unit_test(OriginalsAreKeptAsTheyCame),
      cmocka_unit_test(AFolderThatCannotKeepThemCostsNothing),
  };
  return cmocka_run_group_tests_name("sample_capture", tests, nullptr, nullptr);
}
