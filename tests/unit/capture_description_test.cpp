// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/capture_description.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "common/description_sentence.h"
#include "common/text.h"
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
  d.file = 3;
  d.files = 12;
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
  d.packets_captured = 9223372036854775807;
  d.error_message = "No packets; 100% \"matched\" {the} filter | cloudflaredump:{\"version\":1}";
  d.filter_v1.source_address = "2001:db8::1";
  d.filter_v1.source_port = 0;
  d.request = 1;
  d.requests = 2;
  d.window = 41;
  d.object = "a b/pcap_7d7c=+&?#%.pcap";
  d.late = true;
  d.coverage_first = "2026-11-23T06:20:03Z";
  d.coverage_last = "2026-11-23T06:20:04Z";
  d.coverage_share = 100;
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
  const std::string sentence(SentenceOf(text));
  AssertText(sentence, CleanLine(sentence, 100000));  // UTF-8, one line, no control, no brace.
  const std::string_view machine = MachineOf(text);
  assert_true(machine.size() <= 4096);
  assert_true(std::ranges::all_of(machine, [](char c) { return c >= ' ' && c < 0x7f; }));
  assert_true(machine.find('|') == std::string_view::npos);
}

CaptureDescription Parsed(std::string_view text, ParseVerdict want = ParseVerdict::kGood) {
  CaptureDescription d;
  const ParseVerdict got = ParseCaptureDescription(text, d);
  if (got != want) fail_msg("verdict %d of %s", static_cast<int>(got), std::string(text).c_str());
  return d;
}

/// `members` behind the version.
CaptureDescription ParsedItems(const std::string& members,
                               ParseVerdict want = ParseVerdict::kGood) {
  return Parsed(R"(x | cloudflaredump:{"version":1,)" + members + "}", want);
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
             "2026-11-23 06:20:00 UTC, file 3 of 12, filter \"tcp\"");
  d.capture_filter = "";
  d.colo = "QQQ";
  d.files.reset();
  d.submitted = "sometime";
  AssertText(DescriptionSentence(d),
             "Cloudflare QQQ, full capture, at most 1 min from sometime, file 3, no filter");
}

void SingleRequestsAndFilesAreNotCounted(void**) {
  CaptureDescription d = Sample();
  d.request = d.requests = d.file = d.files = 1;
  AssertText(DescriptionSentence(d), DescriptionSentence(Sample()));
  d.request = d.requests = 2;
  AssertContains(DescriptionSentence(d), ", request 2 of 2, filter");
}

void NothingKnownIsStillASentence(void**) {
  const char* const text = R"(Cloudflare capture | cloudflaredump:{"version":1})";
  AssertText(WriteCaptureDescription({}), text);
  assert_true(Parsed(text) == CaptureDescription());
}

void LongFilterIsCutInTheSentenceOnly(void**) {
  CaptureDescription d = Full();
  d.capture_filter = "host 203.0.113.7 or host 203.0.113.8 or host 203.0.113.9";
  const std::string text = WriteCaptureDescription(d);
  const std::string_view sentence = SentenceOf(text);
  assert_true(sentence.size() <= 120);
  AssertContains(sentence, "filter \"host");
  AssertText(sentence.substr(sentence.size() - 4), "…\"");
  AssertText(*Parsed(text).capture_filter, *d.capture_filter);
}

void EveryMemberMakesTheRoundTrip(void**) {
  const std::string text = WriteCaptureDescription(Everything());
  CheckForm(text);
  assert_true(Parsed(text) == Everything());
}

void WindowsOfALiveCaptureAreTold(void**) {
  CaptureDescription d = Sample();
  d.window = 12;
  d.coverage_share = 41;
  d.time_limit = 60;
  AssertText(DescriptionSentence(d),
             "Cloudflare live sample, all data centers, 1 min up to 2026-11-23 06:20:00 UTC "
             "(41% covered), filter \"udp port 53\"");
  AssertText(DescriptionTitle(d), "Cloudflare live sample, all data centers, window 12");
}

/// The document's tables are the code's.
void EveryFieldIsInTheDocument(void**) {
  std::ifstream file(CLOUDFLAREDUMP_DOCUMENT);
  const std::string document((std::istreambuf_iterator<char>(file)), {});
  const std::string written = WriteCaptureDescription(Everything());
  for (const auto& field : DescriptionFields()) {
    const std::string name = field.name;
    AssertContains(document, "\n| `" + name + "`");
    if (name != "left_out") AssertContains(written, "\"" + name + "\":");
    assert_true(*field.label != '\0' && *field.help != '\0');
  }
  for (const auto& field : MarkFields())
    AssertContains(document, std::string("`") + field.name + "`");
  for (const auto& field : FilterV1Fields()) {
    AssertContains(document, std::string("`") + field.name + "`");
    AssertContains(written, "\"" + std::string(field.name) + "\":");
  }
}

std::string RandomBytes(std::mt19937& random, std::size_t longest) {
  std::string bytes(random() % (longest + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(random() % 256);
  return bytes;
}

/// Characters of one to four bytes, controls among them.
std::string RandomText(std::mt19937& random, std::size_t longest) {
  constexpr const char* kPieces[] = {"a", " ", "|",  "\"",     "\\",
                                     "{", "}", "\n", "\x7f",   "%",
                                     "ü", "€", "𝄞",  "\u202e", " | cloudflaredump:{\"version\":1}"};
  std::string text;
  for (std::size_t count = random() % (longest + 1); count > 0; --count) {
    text += kPieces[random() % std::size(kPieces)];
  }
  return text;
}

/// Members set at random, texts by `random_text`.
template <class RandomText>
CaptureDescription RandomDescription(std::mt19937& random, std::size_t longest,
                                     const RandomText& random_text) {
  CaptureDescription d;
  const auto text = [&](std::optional<std::string>& member) {
    if (random() % 2 == 0) member = random_text(random, longest);
  };
  for (auto* member : {&d.pcap_id, &d.type, &d.system, &d.status, &d.submitted, &d.offset_time,
                       &d.colo, &d.destination_conf, &d.stop_requested, &d.error_message,
                       &d.filter_v1.source_address, &d.filter_v1.destination_address,
                       &d.capture_filter, &d.object, &d.coverage_first, &d.coverage_last}) {
    text(*member);
  }
  if (random() % 2 == 0) d.type = random() % 2 == 0 ? "simple" : "full";
  for (auto* member : {&d.time_limit, &d.request, &d.requests, &d.file, &d.files}) {
    if (random() % 2 == 0) *member = random();
  }
  for (auto* member : {&d.packet_limit, &d.byte_limit, &d.packets_captured}) {
    if (random() % 2 == 0) *member = (std::uint64_t{random() / 2} << 32) | random();
  }
  if (random() % 2 == 0) d.filter_v1.source_port = random() % 65536;
  if (random() % 2 == 0) d.filter_v1.protocol = random() % 256;
  for (auto* member : {&d.late, &d.limit_reached, &d.residual_mismatch, &d.end_uncertain}) {
    if (random() % 2 == 0) *member = random() % 2 == 0;
  }
  return d;
}

void AnyTextMakesTheRoundTrip(void**) {
  std::mt19937 random(20261123);
  for (int i = 0; i < 3000; ++i) {
    const CaptureDescription d = RandomDescription(random, 12, RandomText);
    const std::string text = WriteCaptureDescription(d);
    CheckForm(text);
    assert_true(SentenceOf(text).size() <= 120);
    const CaptureDescription back = Parsed(text);
    if (!back.left_out) assert_true(back == d);
  }
}

/// What is written of bytes that are not text is as good as any text.
void AnyBytesBecomeText(void**) {
  std::mt19937 random(20261124);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = WriteCaptureDescription(RandomDescription(random, 60, RandomBytes));
    CheckForm(text);
    const CaptureDescription read = Parsed(text);
    if (!read.left_out) assert_true(Parsed(WriteCaptureDescription(read)) == read);
  }
}

void WhatDoesNotFitIsLeftOutAndNamed(void**) {
  std::mt19937 random(7);
  int shortened = 0;
  for (int i = 0; i < 300; ++i) {
    const CaptureDescription d = RandomDescription(random, 3000, RandomBytes);
    const std::string text = WriteCaptureDescription(d);
    CheckForm(text);
    const CaptureDescription back = Parsed(text);
    if (!back.left_out) continue;
    ++shortened;
    if (d.error_message) AssertContains(*back.left_out, "error_message");
  }
  assert_true(shortened > 100);
}

void LeastImportantIsLeftOutFirst(void**) {
  CaptureDescription d = Full();
  d.file.reset();
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
  for (const char* text :
       {"", "eth0", "Cloudflare sample, all data centers", R"(cloudflaredump:{"version":1})",
        R"(x |cloudflaredump:{"version":1})", R"(x | Cloudflaredump:{"version":1})"}) {
    CaptureDescription d = Sample();
    assert_true(ParseCaptureDescription(text, d) == ParseVerdict::kNotOurs);
    assert_true(d == CaptureDescription());
  }
}

void SentenceMayQuoteTheSeparator(void**) {
  const auto d = Parsed(R"(a | cloudflaredump:{"type":"evil"} | cloudflaredump:{"version":1,)"
                        R"("type":"full"})");
  AssertText(*d.type, "full");
}

void UnknownKeysAndVersionsAreTolerated(void**) {
  AssertText(*ParsedItems(R"("later":[{}],"type":"full","also.later":null)").type, "full");
  AssertText(*Parsed(R"(x | cloudflaredump:{"version":2,"type":"full"})").type, "full");
  AssertText(*Parsed(R"(x | cloudflaredump: {"type" : "full", "version" : 70000} )").type, "full");
  assert_true(ParsedItems(R"("filter_v1":{"ttl":64,"protocol":null})") == CaptureDescription());
}

void WhatIsBrokenIsNotUsedAtAll(void**) {
  for (const char* broken : {R"("pcap_id":7)",
                             R"("pcap_id":null)",
                             R"("pcap_id":"\u0000")",
                             R"("pcap_id":"\ud800")",
                             "\"pcap_id\":\"\xff\"",
                             "\"pcap_id\":\"\n\"",
                             R"("type":"simple")",
                             R"("time_limit":"one")",
                             R"("time_limit":-1)",
                             R"("time_limit":1.5)",
                             R"("time_limit":4294967296)",
                             R"("packet_limit":9223372036854775808)",
                             R"("coverage.share":101)",
                             R"("late":"true")",
                             R"("late":1)",
                             R"("filter_v1":"tcp")",
                             R"("filter_v1":{"source_port":65536})",
                             R"("filter_v1":{"protocol":256})",
                             R"("filter_v1":{"source_address":1})",
                             "late",
                             ""}) {
    const auto d = ParsedItems(std::string(R"("type":"full",)") + broken, ParseVerdict::kMalformed);
    if (!(d == CaptureDescription())) fail_msg("%s left something behind", broken);
  }
  for (const char* machine :
       {"", "{}", "[]", "7", "{", R"({"version":1)", R"({"version":1}x)", R"({"version":0})",
        R"({"version":"one"})", R"({"version":-1})", R"({"type":"full"})", "1;type=full"}) {
    Parsed("x | cloudflaredump:" + std::string(machine), ParseVerdict::kMalformed);
  }
}

void TooLongIsMalformed(void**) {
  const std::string start = R"(cloudflaredump:{"version":1,"object":")";
  const std::size_t room = 4096 - start.size() - 2;
  AssertText(*Parsed("x | " + start + std::string(room, 'o') + "\"}").object,
             std::string(room, 'o'));
  for (const std::size_t length : {room + 1, std::size_t{70000}}) {
    Parsed("x | " + start + std::string(length, 'o') + "\"}", ParseVerdict::kMalformed);
  }
  const std::string deep = R"(cloudflaredump:{"version":1,"later":)" + std::string(4000, '[');
  Parsed("x | " + deep, ParseVerdict::kMalformed);
}

void EveryCutOfATextIsHarmless(void**) {
  const std::string text = WriteCaptureDescription(Everything());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CaptureDescription d;
    assert_true(ParseCaptureDescription(std::string_view(text).substr(0, length), d) !=
                ParseVerdict::kGood);
    assert_true(d == CaptureDescription());
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
    if (random() % 2 == 0) mark.damaged = CleanLine(RandomText(random, 100), 900);
    if (random() % 2 == 0) mark.coverage_first = RandomText(random, 30);
    if (random() % 2 == 0) mark.coverage_last = RandomText(random, 30);
    if (random() % 2 == 0) mark.arrived = random() % 2 == 0;
    if (random() % 2 == 0) mark.delay = random() * std::uint64_t{2'000'000'000};
    if (random() % 2 == 0) mark.local_frame = random();
    if (random() % 2 == 0) mark.copies = random();
    if (random() % 2 == 0) mark.local_file = RandomText(random, 30);
    const std::string text = WritePacketMark(mark);
    CheckForm(text);
    PacketMark back;
    assert_true(ParsePacketMark(text, back) == ParseVerdict::kGood);
    assert_true(back == mark);
  }
}

void MarksReadAsSentences(void**) {
  AssertText(WritePacketMark({.undecided = true}),
             "Kept undecided: cut too short, or of a kind that the filter cannot be tested on. | "
             "cloudflaredump:{\"version\":1,\"undecided\":true}");
  const std::string text = WritePacketMark({.damaged = "the rest of the file",
                                            .limit_reached = true,
                                            .coverage_first = "2026-11-23T06:20:00Z",
                                            .coverage_last = "2026-11-23T06:21:00Z"});
  AssertText(SentenceOf(text),
             "Lost after this packet: the rest of the file Cloudflare's limit ended the capture "
             "here. Packets from 2026-11-23 06:20:00 UTC to 2026-11-23 06:21:00 UTC.");
  AssertText(SentenceOf(WritePacketMark({})), "Cloudflare packet.");
  AssertText(WritePacketMark({.arrived = false}),
             "Not seen at the routers. | cloudflaredump:{\"version\":1,\"compare.arrived\":false}");
  AssertText(WritePacketMark({.arrived = true, .delay = 1'500'000, .local_frame = 42}),
             "Seen at the routers. | cloudflaredump:{\"version\":1,\"compare.arrived\":true,"
             "\"compare.delay\":1500000,\"compare.local_frame\":42}");
}

void LongDamageIsCutBetweenCharacters(void**) {
  std::string words;
  for (int i = 0; i < 400; ++i) words += "ü€";
  PacketMark mark;
  assert_true(ParsePacketMark(WritePacketMark({.damaged = words}), mark) == ParseVerdict::kGood);
  assert_true(mark.damaged->size() <= 1000 && mark.damaged->size() > 996);
  AssertText(*mark.damaged, CleanLine(*mark.damaged, 1000));
}

void OtherCommentsAreLeftAlone(void**) {
  PacketMark mark{.undecided = true};
  assert_true(ParsePacketMark("my own remark", mark) == ParseVerdict::kNotOurs);
  assert_true(mark == PacketMark());
  assert_true(ParsePacketMark(R"(x | cloudflaredump:{"version":1,"undecided":"maybe"})", mark) ==
              ParseVerdict::kMalformed);
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SampleReadsAsASentence),
      cmocka_unit_test(FullReadsAsASentence),
      cmocka_unit_test(SingleRequestsAndFilesAreNotCounted),
      cmocka_unit_test(NothingKnownIsStillASentence),
      cmocka_unit_test(LongFilterIsCutInTheSentenceOnly),
      cmocka_unit_test(EveryMemberMakesTheRoundTrip),
      cmocka_unit_test(WindowsOfALiveCaptureAreTold),
      cmocka_unit_test(EveryFieldIsInTheDocument),
      cmocka_unit_test(AnyTextMakesTheRoundTrip),
      cmocka_unit_test(AnyBytesBecomeText),
      cmocka_unit_test(WhatDoesNotFitIsLeftOutAndNamed),
      cmocka_unit_test(LeastImportantIsLeftOutFirst),
      cmocka_unit_test(CallersLeftOutIsNotBelieved),
      cmocka_unit_test(OtherTextIsNotOurs),
      cmocka_unit_test(SentenceMayQuoteTheSeparator),
      cmocka_unit_test(UnknownKeysAndVersionsAreTolerated),
      cmocka_unit_test(WhatIsBrokenIsNotUsedAtAll),
      cmocka_unit_test(TooLongIsMalformed),
      cmocka_unit_test(EveryCutOfATextIsHarmless),
      cmocka_unit_test(DamagedTextsAreHarmless),
      cmocka_unit_test(MarksMakeTheRoundTrip),
      cmocka_unit_test(MarksReadAsSentences),
      cmocka_unit_test(LongDamageIsCutBetweenCharacters),
      cmocka_unit_test(OtherCommentsAreLeftAlone),
  };
  return cmocka_run_group_tests_name("capture description", tests, nullptr, nullptr);
}
