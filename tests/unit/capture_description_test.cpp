// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/capture_description.h"

#include <algorithm>
#include <random>

#include "common/description_sentence.h"
#include "common/readable_line.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

constexpr std::string_view kMachine = " | cloudflaredump:";

CaptureDescription Sample() {
  CaptureDescription d;
  d.pcap_id = "6d1f0aac13cd40e3900d29f5dd0e8a2b";
  d.type = "simple";
  d.system = "magic-transit";
  d.time_limit = 300;
  d.packet_limit = 10000;
  d.offset_time = "2026-11-23T06:20:00Z";
  d.capture_filter = "udp port 53";
  return d;
}

CaptureDescription Full() {
  CaptureDescription d;
  d.pcap_id = "7d7c88382f0b4d5daa9587aa45a1a877";
  d.type = "full";
  d.submitted = "2026-11-23T06:20:00.269047Z";
  d.time_limit = 60;
  d.colo = "ord02";
  d.part = 3;
  d.parts = 12;
  d.filter_v1.destination_address = "203.0.113.7";
  d.filter_v1.destination_port = 443;
  d.filter_v1.protocol = 6;
  d.capture_filter = "dst host 203.0.113.7 and tcp dst port 443";
  return d;
}

/// Every member set, each to a value of its own.
CaptureDescription Everything() {
  CaptureDescription d = Full();
  d.system = "magic-transit";
  d.status = "success";
  d.packet_limit = 10000;
  d.byte_limit = 1000000000;
  d.offset_time = "2026-11-23T06:20:01Z";
  d.destination_conf = "s3://bucket/folder?region=us-east-1";
  d.stop_requested = "2026-11-23T06:20:02Z";
  d.packets_captured = 18446744073709551615U;
  d.error_message = "No packets; 100% \"matched\" {the} filter | cloudflaredump:1;type=x";
  d.filter_v1.source_address = "2001:db8::1";
  d.filter_v1.source_port = 0;
  d.request = 1;
  d.requests = 2;
  d.object = "a b/pcap_7d7c=+&?#%.pcap";
  d.late = true;
  d.coverage_first = "2026-11-23T06:20:03Z";
  d.coverage_last = "2026-11-23T06:20:04Z";
  d.limit_reached = false;
  d.residual_mismatch = true;
  d.end_uncertain = true;
  return d;
}

std::string_view SentenceOf(std::string_view text) {
  return text.substr(0, text.rfind(kMachine));
}

std::string_view MachineOf(std::string_view text) {
  return text.substr(text.rfind(kMachine) + std::string_view(" | ").size());
}

/// What every text of ours promises, whatever the values.
void CheckForm(const std::string& text) {
  assert_true(text.rfind(kMachine) != std::string::npos);
  AssertText(text, ReadableLine(text, 100000));  // UTF-8, one line, no control, no brace.
  const std::string_view machine = MachineOf(text);
  assert_true(machine.size() <= 4096);
  assert_true(std::ranges::all_of(machine, [](char c) { return c > ' ' && c < 0x7f; }));
}

CaptureDescription Parsed(std::string_view text, ParseVerdict want = ParseVerdict::kGood) {
  CaptureDescription d;
  const ParseVerdict got = ParseCaptureDescription(text, d);
  if (got != want) fail_msg("verdict %d of %s", static_cast<int>(got), std::string(text).c_str());
  return d;
}

CaptureDescription ParsedItems(const std::string& items, ParseVerdict want = ParseVerdict::kGood) {
  return Parsed("x | cloudflaredump:1;" + items, want);
}

void SampleReadsAsASentence(void**) {
  AssertText(SentenceOf(WriteCaptureDescription(Sample())),
             "Cloudflare sample, all data centers, 5 min up to 2026-11-23 06:20:00 UTC, "
             "filter \"udp port 53\"");
}

void FullReadsAsASentence(void**) {
  CaptureDescription d = Full();
  d.capture_filter = "tcp";
  AssertText(DescriptionSentence(d),
             "Cloudflare ord02 (Chicago), full capture, at most 1 min from "
             "2026-11-23 06:20:00 UTC, part 3 of 12, filter \"tcp\"");
  d.capture_filter = "";
  d.colo = "QQQ";
  d.parts.reset();
  d.submitted = "sometime";
  AssertText(DescriptionSentence(d),
             "Cloudflare QQQ, full capture, at most 1 min from sometime, part 3, no filter");
}

void SingleRequestsAndPartsAreNotCounted(void**) {
  CaptureDescription d = Sample();
  d.request = d.requests = d.part = d.parts = 1;
  AssertText(DescriptionSentence(d), DescriptionSentence(Sample()));
  d.request = d.requests = 2;
  AssertContains(DescriptionSentence(d), ", request 2 of 2, filter");
}

void NothingKnownIsStillASentence(void**) {
  AssertText(WriteCaptureDescription({}), "Cloudflare capture | cloudflaredump:1");
  assert_true(Parsed("Cloudflare capture | cloudflaredump:1") == CaptureDescription());
}

void LongFilterIsCutInTheSentenceOnly(void**) {
  CaptureDescription d = Full();
  d.capture_filter = "host 203.0.113.7 or host 203.0.113.8 or host 203.0.113.9";
  const std::string text = WriteCaptureDescription(d);
  const std::string_view sentence = SentenceOf(text);
  assert_true(CountCharacters(sentence) <= 120);
  AssertContains(sentence, "filter \"host");
  AssertText(sentence.substr(sentence.size() - 4), "…\"");
  AssertText(*Parsed(text).capture_filter, *d.capture_filter);
}

void EveryMemberMakesTheRoundTrip(void**) {
  const std::string text = WriteCaptureDescription(Everything());
  CheckForm(text);
  assert_true(Parsed(text) == Everything());
}

void EveryKeyOfTheDocumentIsWritten(void**) {
  const std::string text = WriteCaptureDescription(Everything());
  for (const char* key : {"pcap_id",
                          "type",
                          "system",
                          "status",
                          "submitted",
                          "time_limit",
                          "packet_limit",
                          "byte_limit",
                          "offset_time",
                          "colo",
                          "destination_conf",
                          "stop_requested",
                          "packets_captured",
                          "error_message",
                          "filter_v1.source_address",
                          "filter_v1.destination_address",
                          "filter_v1.source_port",
                          "filter_v1.destination_port",
                          "filter_v1.protocol",
                          "capture_filter",
                          "request",
                          "requests",
                          "part",
                          "parts",
                          "object",
                          "late",
                          "coverage.first",
                          "coverage.last",
                          "limit_reached",
                          "residual_mismatch",
                          "end_uncertain"}) {
    AssertContains(text, ";" + std::string(key) + "=");
  }
}

std::string RandomBytes(std::mt19937& random, std::size_t longest) {
  std::string bytes(random() % (longest + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(random() % 256);
  return bytes;
}

/// Values of any bytes, members set at random.
CaptureDescription RandomDescription(std::mt19937& random, std::size_t longest) {
  CaptureDescription d;
  const auto text = [&](std::optional<std::string>& member) {
    if (random() % 2 == 0) member = RandomBytes(random, longest);
  };
  for (auto* member : {&d.pcap_id, &d.type, &d.system, &d.status, &d.submitted, &d.offset_time,
                       &d.colo, &d.destination_conf, &d.stop_requested, &d.error_message,
                       &d.filter_v1.source_address, &d.filter_v1.destination_address,
                       &d.capture_filter, &d.object, &d.coverage_first, &d.coverage_last}) {
    text(*member);
  }
  if (random() % 2 == 0) d.type = random() % 2 == 0 ? "simple" : "full";
  for (auto* member : {&d.time_limit, &d.request, &d.requests, &d.part, &d.parts}) {
    if (random() % 2 == 0) *member = random();
  }
  for (auto* member : {&d.packet_limit, &d.byte_limit, &d.packets_captured}) {
    if (random() % 2 == 0) *member = (std::uint64_t{random()} << 32) | random();
  }
  if (random() % 2 == 0) d.filter_v1.source_port = random() % 65536;
  if (random() % 2 == 0) d.filter_v1.protocol = random() % 256;
  for (auto* member : {&d.late, &d.limit_reached, &d.residual_mismatch, &d.end_uncertain}) {
    if (random() % 2 == 0) *member = random() % 2 == 0;
  }
  return d;
}

void AnyBytesMakeTheRoundTrip(void**) {
  std::mt19937 random(20261123);
  for (int i = 0; i < 3000; ++i) {
    const CaptureDescription d = RandomDescription(random, 60);
    const std::string text = WriteCaptureDescription(d);
    CheckForm(text);
    assert_true(CountCharacters(SentenceOf(text)) <= 120);
    const CaptureDescription back = Parsed(text);
    if (!back.left_out) assert_true(back == d);
  }
}

void WhatDoesNotFitIsLeftOutAndNamed(void**) {
  std::mt19937 random(7);
  int shortened = 0;
  for (int i = 0; i < 300; ++i) {
    const CaptureDescription d = RandomDescription(random, 3000);
    const std::string text = WriteCaptureDescription(d);
    CheckForm(text);
    CaptureDescription back = Parsed(text);
    if (back == d) continue;
    ++shortened;
    assert_true(back.left_out.has_value());
    if (d.error_message) AssertContains(*back.left_out, "error_message");
  }
  assert_true(shortened > 100);
}

void LeastImportantIsLeftOutFirst(void**) {
  CaptureDescription d = Full();
  d.part.reset();
  d.error_message = std::string(2000, ' ');
  d.capture_filter = std::string(3500, 'x');
  d.object = std::string(500, 'y');
  const CaptureDescription back = Parsed(WriteCaptureDescription(d));
  AssertText(*back.left_out, "error_message,object");
  assert_false(back.error_message || back.object);
  assert_true(back.capture_filter == d.capture_filter);
  d.capture_filter = std::string(9000, 'x');
  const std::string text = WriteCaptureDescription(d);
  AssertText(*Parsed(text).left_out, "error_message,object,capture_filter");
  AssertContains(SentenceOf(text), "filter \"xxxxx");
}

void CallersLeftOutIsNotBelieved(void**) {
  CaptureDescription d = Sample();
  d.left_out = "type";
  assert_true(Parsed(WriteCaptureDescription(d)) == Sample());
}

void OtherTextIsNotOurs(void**) {
  for (const char* text : {"", "eth0", "Cloudflare sample, all data centers",
                           "cloudflaredump:1;a=b", "x |cloudflaredump:1", "x | Cloudflaredump:1"}) {
    CaptureDescription d = Sample();
    assert_true(ParseCaptureDescription(text, d) == ParseVerdict::kNotOurs);
    assert_true(d == CaptureDescription());
  }
}

void SentenceMayQuoteTheSeparator(void**) {
  const auto d = Parsed("a | cloudflaredump:1;type=evil | cloudflaredump:1;type=full");
  AssertText(*d.type, "full");
}

void UnknownKeysAndVersionsAreTolerated(void**) {
  AssertText(*ParsedItems("later=x;type=full;also.later_2=%20").type, "full");
  AssertText(*Parsed("x | cloudflaredump:2;type=full").type, "full");
  AssertText(*Parsed("x | cloudflaredump:65536;type=full").type, "full");
  assert_true(Parsed("x | cloudflaredump:1;") == CaptureDescription());
}

void SecondAppearanceIsIgnored(void**) {
  AssertText(*ParsedItems("type=full;type=simple").type, "full");
  AssertText(*ParsedItems("colo=;colo=ORD").colo, "");
}

void BrokenItemsAreSkippedAndSaid(void**) {
  for (const char* broken : {"nothing",
                             "=x",
                             "TYPE=full",
                             "a b=c",
                             "status=%",
                             "status=%4",
                             "status=%zz",
                             "status=a b",
                             "status=\x01",
                             "status=\xc3\xa4",
                             "status=a=b",
                             "time_limit=",
                             "time_limit=-1",
                             "time_limit=1e3",
                             "time_limit=4294967296",
                             "packet_limit=18446744073709551616",
                             "filter_v1.source_port=65536",
                             "filter_v1.protocol=256",
                             "late=yes",
                             "late=",
                             "later=%",
                             ";",
                             "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=1",
                             "status=%+f",
                             "status=%-1"}) {
    const auto d = ParsedItems(std::string(broken) + ";type=full", ParseVerdict::kMalformed);
    CaptureDescription want;
    want.type = "full";
    if (!(d == want)) fail_msg("%s left something behind", broken);
  }
}

void BrokenVersionsAreMalformed(void**) {
  for (const char* version : {"", "x", "100000", "1 ", "-1"}) {
    const auto d = Parsed("x | cloudflaredump:" + std::string(version) + ";type=full",
                          ParseVerdict::kMalformed);
    AssertText(*d.type, "full");
  }
}

void TooLongIsReadUpToTheBound(void**) {
  const std::string start = "x | cloudflaredump:1;type=full;object=";
  const std::size_t room = 4096 - (start.size() - 4);
  AssertText(*Parsed(start + std::string(room, 'o')).object, std::string(room, 'o'));
  const auto d = Parsed(start + std::string(room + 1, 'o'), ParseVerdict::kMalformed);
  AssertText(*d.type, "full");
  assert_false(d.object.has_value());
  assert_true(Parsed(start + std::string(70000, 'o'), ParseVerdict::kMalformed) ==
              CaptureDescription());
}

void EveryCutOfATextIsHarmless(void**) {
  const std::string text = WriteCaptureDescription(Everything());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CaptureDescription d;
    ParseCaptureDescription(std::string_view(text).substr(0, length), d);
    assert_true(!d.pcap_id || Everything().pcap_id->starts_with(*d.pcap_id));
  }
}

void DamagedTextsAreHarmless(void**) {
  std::mt19937 random(3);
  const std::string text = WriteCaptureDescription(Everything());
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = text;
    for (int n = 0; n < 4; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    CaptureDescription d;
    if (ParseCaptureDescription(damaged, d) != ParseVerdict::kNotOurs && d.filter_v1.source_port) {
      assert_true(*d.filter_v1.source_port <= 65535);
    }
  }
}

void MarksMakeTheRoundTrip(void**) {
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    PacketMark mark;
    mark.undecided = random() % 2 == 0;
    mark.limit_reached = random() % 2 == 0;
    if (random() % 2 == 0) mark.damaged = RandomBytes(random, 100);
    if (random() % 2 == 0) mark.coverage_first = RandomBytes(random, 30);
    if (random() % 2 == 0) mark.coverage_last = RandomBytes(random, 30);
    const std::string text = WritePacketMark(mark);
    CheckForm(text);
    PacketMark back;
    assert_true(ParsePacketMark(text, back) == ParseVerdict::kGood);
    assert_true(back == mark);
  }
}

void MarksReadAsSentences(void**) {
  AssertText(WritePacketMark({.undecided = true}),
             "Kept undecided: cut before bytes that the filter needs. | "
             "cloudflaredump:1;undecided=true");
  const std::string text = WritePacketMark({.damaged = "the rest of the file",
                                            .limit_reached = true,
                                            .coverage_first = "2026-11-23T06:20:00Z",
                                            .coverage_last = "2026-11-23T06:21:00Z"});
  AssertText(SentenceOf(text),
             "Lost after this packet: the rest of the file Cloudflare's limit ended the capture "
             "here. Packets from 2026-11-23 06:20:00 UTC to 2026-11-23 06:21:00 UTC.");
  AssertText(SentenceOf(WritePacketMark({})), "Cloudflare packet.");
}

void LongDamageIsCutBetweenCharacters(void**) {
  std::string words;
  for (int i = 0; i < 400; ++i) words += "ü€";
  PacketMark mark;
  assert_true(ParsePacketMark(WritePacketMark({.damaged = words}), mark) == ParseVerdict::kGood);
  assert_true(mark.damaged->size() <= 1000 && mark.damaged->size() > 996);
  AssertText(*mark.damaged, ReadableLine(*mark.damaged, 1000));
}

void OtherCommentsAreLeftAlone(void**) {
  PacketMark mark{.undecided = true};
  assert_true(ParsePacketMark("my own remark", mark) == ParseVerdict::kNotOurs);
  assert_true(mark == PacketMark());
  assert_true(ParsePacketMark("x | cloudflaredump:1;undecided=maybe", mark) ==
              ParseVerdict::kMalformed);
}

void ReadableLinesShowWhatTheySay(void**) {
  AssertText(ReadableLine("a\r\n\tb", 10), "a b");
  AssertText(ReadableLine("{x}", 10), "(x)");
  AssertText(ReadableLine("abcdef", 6), "abcdef");
  AssertText(ReadableLine("abcdefg", 6), "abcde…");
  AssertText(ReadableLine("äöü€𝄞x", 5), "äöü€…");
  AssertText(ReadableLine("a\u202eb\u2028c\u00a0d", 20), "a b c d");
  AssertText(ReadableLine("abc", 0), "");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    AssertContains(ReadableLine(bad, 10), "\xef\xbf\xbd");
  }
}

void PrintableTextKeepsWhatCanBePrinted(void**) {
  AssertText(PrintableText("a  {b}\u00a0ä€𝄞"), "a  {b}\u00a0ä€𝄞");
  AssertText(PrintableText("a\nb\x1b[0m\x7f\u202e\xff"), "a\ufffdb\ufffd[0m\ufffd\ufffd\ufffd");
  AssertText(PrintableText(std::string_view("a\0b", 3)), "a\ufffdb");
}

void ACompareMarkIsACommentOfItsOwn(void**) {
  const CompareMark mark{.arrived = true,
                         .delay = 1'500'000,
                         .local_frame = 42,
                         .local_file = "a router; 50 %.pcap",
                         .copies = 2};
  const std::string text = WriteCompareMark(mark);
  CompareMark read;
  assert_true(ParseCompareMark(text, read) == ParseVerdict::kGood);
  assert_true(read == mark);
  // Each reader passes over the other's comments.
  PacketMark other;
  assert_true(ParsePacketMark(text, other) == ParseVerdict::kGood);
  assert_true(other == PacketMark{});
  assert_true(ParseCompareMark(WritePacketMark({.undecided = true}), read) == ParseVerdict::kGood);
  assert_true(read == CompareMark{});
  assert_true(ParseCompareMark("lunch at noon", read) == ParseVerdict::kNotOurs);
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SampleReadsAsASentence),
      cmocka_unit_test(FullReadsAsASentence),
      cmocka_unit_test(SingleRequestsAndPartsAreNotCounted),
      cmocka_unit_test(NothingKnownIsStillASentence),
      cmocka_unit_test(LongFilterIsCutInTheSentenceOnly),
      cmocka_unit_test(EveryMemberMakesTheRoundTrip),
      cmocka_unit_test(EveryKeyOfTheDocumentIsWritten),
      cmocka_unit_test(AnyBytesMakeTheRoundTrip),
      cmocka_unit_test(WhatDoesNotFitIsLeftOutAndNamed),
      cmocka_unit_test(LeastImportantIsLeftOutFirst),
      cmocka_unit_test(CallersLeftOutIsNotBelieved),
      cmocka_unit_test(OtherTextIsNotOurs),
      cmocka_unit_test(SentenceMayQuoteTheSeparator),
      cmocka_unit_test(UnknownKeysAndVersionsAreTolerated),
      cmocka_unit_test(SecondAppearanceIsIgnored),
      cmocka_unit_test(BrokenItemsAreSkippedAndSaid),
      cmocka_unit_test(BrokenVersionsAreMalformed),
      cmocka_unit_test(TooLongIsReadUpToTheBound),
      cmocka_unit_test(EveryCutOfATextIsHarmless),
      cmocka_unit_test(DamagedTextsAreHarmless),
      cmocka_unit_test(MarksMakeTheRoundTrip),
      cmocka_unit_test(MarksReadAsSentences),
      cmocka_unit_test(LongDamageIsCutBetweenCharacters),
      cmocka_unit_test(OtherCommentsAreLeftAlone),
      cmocka_unit_test(ReadableLinesShowWhatTheySay),
      cmocka_unit_test(PrintableTextKeepsWhatCanBePrinted),
      cmocka_unit_test(ACompareMarkIsACommentOfItsOwn),
  };
  return cmocka_run_group_tests_name("capture description", tests, nullptr, nullptr);
}
