// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/capture_filter.h"

#include <glib.h>

#include <utility>

#include "common/text.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/compile_bounded.h"
#include "extcap/filter/libpcap_words.h"

namespace cloudflaredump::filter {
namespace {

/// Whether a field of Wireshark's stands where a test begins, as in "tcp.port == 443"; behind
/// "host" it may be a name.
bool IsDisplayFilter(std::string_view text) {
  constexpr const char* kField =
      "(^|[(!&|]|\\b(and|or|not)\\b)\\s*"
      "(eth|vlan|arp|ipv?6?|icmp(v6)?|tcp|udp|sctp|gre|esp|dns|http|tls|quic|frame)\\.[a-z]";
  return g_regex_match_simple(kField, std::string(text).c_str(), G_REGEX_DEFAULT,
                              G_REGEX_MATCH_DEFAULT) != FALSE;
}

/// What to do about the typed filter `text`, of which libpcap said what `meaning` is.
const char* RemedyFor(LibpcapWords::Meaning meaning, std::string_view text) {
  if (meaning == LibpcapWords::Meaning::kUnknownHost) return kUnknownHostRemedy;
  if (meaning == LibpcapWords::Meaning::kRejectsAll) {
    return "join alternatives by \"or\", and see pcap-filter(7)";
  }
  if (IsDisplayFilter(text)) {
    return "it looks like a display filter; a capture filter is written as in pcap-filter(7), such "
           "as \"tcp port 443\"";
  }
  return "check the spelling, and see pcap-filter(7)";
}

}  // namespace

CaptureFilter::CaptureFilter(Kind kind, std::string text, std::unique_ptr<FilterProgram> program,
                             NameLookup lookup, std::optional<CompileLimits> limits)
    : kind_(kind),
      text_(std::move(text)),
      program_(std::move(program)),
      lookup_(lookup),
      limits_(limits) {}

CaptureFilter::CaptureFilter(CaptureFilter&&) noexcept = default;
CaptureFilter& CaptureFilter::operator=(CaptureFilter&&) noexcept = default;
CaptureFilter::~CaptureFilter() = default;

const bpf_program* CaptureFilter::program() const {
  return program_ && kind_ == Kind::kIp ? program_->view() : nullptr;
}

const bpf_program* CaptureFilter::ethernet_program() const {
  return program_ && kind_ == Kind::kLinkLayer ? program_->view() : nullptr;
}

Result<CaptureFilter> CaptureFilter::Compile(std::string_view text, NameLookup lookup,
                                             const CompileBounds& bounds) {
  std::string own(text);
  if (own.find('\0') != std::string::npos) {
    return Fail("the filter has a NUL character in it", Error::Kind::kUsage);
  }
  if (Trim(own).empty()) {
    return CaptureFilter(Kind::kAll, std::move(own), nullptr, lookup, bounds.limits);
  }
  auto compiled = CompileBounded([&] { return CompileText(own, lookup); }, lookup, bounds);
  if (!compiled) return Failure(compiled);
  std::unique_ptr<FilterProgram> program;
  if (!compiled->instructions.empty()) {
    program = std::make_unique<FilterProgram>(std::move(compiled->instructions));
  }
  return CaptureFilter(compiled->kind, std::move(own), std::move(program), lookup, bounds.limits);
}

Result<CaptureFilter> CaptureFilter::CompileTyped(std::string_view text, NameLookup lookup,
                                                  const CompileBounds& bounds) {
  auto filter = Compile(text, lookup, bounds);
  if (filter || filter.error().kind != Error::Kind::kUsage) return filter;
  Error& error = filter.error();
  error.said = ClauseOf(error);
  error.what = "the capture filter \"" + CleanLine(text, 100) + "\" cannot be used";
  if (!error.remedy.empty()) return filter;
  error.remedy = RemedyFor(JudgeLibpcapWords(error.said).meaning, text);
  return filter;
}

}  // namespace cloudflaredump::filter
