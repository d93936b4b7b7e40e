// SPDX-License-Identifier: GPL-2.0-or-later
// The capture description's parser on any bytes, and its writer on any values. The first byte of an
// input chooses: a description, a packet comment, or the values of a description, by NULs between.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/capture_description.h"
#include "common/text.h"

namespace cloudflaredump {
namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool promise) {
  if (!promise) std::abort();
}

void CheckForm(std::string_view text) {
  constexpr std::string_view kSeparator = " | ";
  constexpr std::string_view kMagic = "cloudflaredump:";
  const std::size_t at = text.rfind(std::string(kSeparator).append(kMagic));
  Check(at != std::string_view::npos);
  const std::string_view machine = text.substr(at + kSeparator.size());
  Check(machine.size() <= 4096);
  Check(std::ranges::all_of(machine, [](char c) { return c >= ' ' && c < 0x7f && c != '|'; }));
  const std::string_view sentence = text.substr(0, at);
  Check(CleanLine(sentence, sentence.size()) == sentence);
}

/// What is written can be read, and from then on stays as it is: what was not text became text.
CaptureDescription CheckWritten(const CaptureDescription& description) {
  const std::string text = WriteCaptureDescription(description);
  CheckForm(text);
  Check(text.rfind(" | cloudflaredump:") <= 120);
  CaptureDescription read;
  Check(ParseCaptureDescription(text, read) == ParseVerdict::kGood);
  return read;
}

void CheckRoundTrip(const CaptureDescription& description) {
  CaptureDescription once = CheckWritten(description);
  if (once.left_out) return;
  Check(CheckWritten(once) == once);
}

void FuzzDescription(std::string_view text) {
  CaptureDescription description;
  const ParseVerdict verdict = ParseCaptureDescription(text, description);
  if (verdict != ParseVerdict::kGood) Check(description == CaptureDescription());
  if (description.filter_v1.source_port) Check(*description.filter_v1.source_port <= 65535);
  if (description.filter_v1.protocol) Check(*description.filter_v1.protocol <= 255);
  CheckRoundTrip(description);
  // What was read was text, so nothing may change.
  description.left_out.reset();
  const CaptureDescription written = CheckWritten(description);
  if (!written.left_out) Check(written == description);
}

void FuzzMark(std::string_view text) {
  PacketMark mark;
  ParsePacketMark(text, mark);
  const std::string written = WritePacketMark(mark);
  CheckForm(written);
  PacketMark read;
  Check(ParsePacketMark(written, read) == ParseVerdict::kGood);
}

void FuzzValues(std::string_view bytes) {
  CaptureDescription d;
  for (auto* member : {&d.type, &d.colo, &d.capture_filter, &d.offset_time, &d.submitted, &d.object,
                       &d.error_message, &d.destination_conf, &d.pcap_id, &d.coverage_last}) {
    if (bytes.empty()) break;
    const std::size_t end = bytes.find('\0');
    *member = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  d.time_limit = bytes.size();
  d.file = d.requests = bytes.size() / 7;
  CheckRoundTrip(d);
  if (d.type == "s") d.type = "simple";
  CheckRoundTrip(d);
}

}  // namespace
}  // namespace cloudflaredump

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      cloudflaredump::FuzzDescription(rest);
      break;
    case 1:
      cloudflaredump::FuzzMark(rest);
      break;
    default:
      cloudflaredump::FuzzValues(rest);
  }
  return 0;
}
