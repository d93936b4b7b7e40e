// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/capture_filter.h"

#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "common/text.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/compile_bounded.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::filter {
namespace {

using Kind = CaptureFilter::Kind;

std::unexpected<Error> FailLiveOnly() {
  return Fail(
      "the words inbound, outbound and ifindex cannot be used here: a capture file does not say in "
      "which direction or on which interface a packet passed",
      Error::Kind::kUsage);
}

/// Raw IP if libpcap can, else a filter about link-layer headers if it can for Ethernet.
Result<Compiled> CompileText(const std::string& text) {
  auto raw = CompileProgram(text, kLinkTypeRaw);
  if (raw) {
    if (ReadsLiveOnly(*raw)) return FailLiveOnly();
    return Compiled{Kind::kIp, std::move(*raw)};
  }
  const Error& error = raw.error();
  if (SaysRejectsAll(error) || !UnknownHostIn(error).empty()) return std::unexpected(error);
  const auto ethernet = CompileProgram(text, kLinkTypeEthernet);
  if (!ethernet) {
    const bool about_names = !UnknownHostIn(ethernet.error()).empty();
    return std::unexpected(about_names ? ethernet.error() : error);
  }
  if (ReadsLiveOnly(*ethernet)) return FailLiveOnly();
  return Compiled{Kind::kLinkLayer, {}};
}

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

/// Where `name` stands in `text` as a word of its own, from `from` on; npos if nowhere.
std::size_t FindWord(const std::string& text, const std::string& name, std::size_t from) {
  for (std::size_t at = text.find(name, from); at != std::string::npos;
       at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool starts = at == 0 || !IsNameCharacter(text[at - 1]);
    const bool ends = end == text.size() || !IsNameCharacter(text[end]);
    if (starts && ends) return at;
  }
  return std::string::npos;
}

/// `text` with the word of `length` at `at` as `address`; a backslash that quotes it goes too.
std::string WithAddress(const std::string& text, std::size_t at, std::size_t length,
                        const char* address) {
  const std::size_t start = at > 0 && text[at - 1] == '\\' ? at - 1 : at;
  return text.substr(0, start) + address + text.substr(at + length);
}

/// `text` with one occurrence of `name` as an address, such that libpcap gets past it; the first
/// Error that was met instead if there is none. libpcap stops at the first unknown host, so only
/// putting an address in its place shows what it thinks of the rest.
Result<std::string> ReplaceName(const std::string& text, const std::string& name) {
  std::optional<Error> first;
  for (std::size_t at = FindWord(text, name, 0); at != std::string::npos;
       at = FindWord(text, name, at + 1)) {
    for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
      std::string attempt = WithAddress(text, at, name.size(), address);
      const auto compiled = CompileText(attempt);
      if (compiled || SaysRejectsAll(compiled.error()) ||
          !UnknownHostIn(compiled.error()).empty()) {
        return attempt;
      }
      if (!first) first = compiled.error();
    }
  }
  return std::unexpected(first.value_or(Error{"unknown host '" + name + "'"}));
}

/// Takes every name of a host to be right. Whether a filter with names rejects all packets is not
/// known before they are looked up.
Result<Compiled> CompileAcceptingNames(std::string text) {
  bool has_names = false;
  for (;;) {
    auto compiled = CompileText(text);
    if (compiled) {
      if (has_names) compiled->instructions.clear();
      return compiled;
    }
    if (has_names && SaysRejectsAll(compiled.error())) return Compiled{};
    const std::string name = UnknownHostIn(compiled.error());
    if (name.empty()) return compiled;
    has_names = true;
    auto replaced = ReplaceName(text, name);
    if (!replaced) return Failure(replaced);
    text = std::move(*replaced);
  }
}

Result<Compiled> CompileRefusingNames(const std::string& text) {
  auto compiled = CompileText(text);
  if (compiled) return compiled;
  const std::string name = UnknownHostIn(compiled.error());
  if (name.empty()) return compiled;
  return Fail(Format("the name \"%s\" needs a look-up, which is done only when a capture starts",
                     name.c_str()),
              "use its address instead", Error::Kind::kUsage);
}

Result<Compiled> CompileHere(const std::string& text, NameLookup lookup) {
  switch (lookup) {
    case NameLookup::kAccept:
      return CompileAcceptingNames(text);
    case NameLookup::kRefuse:
      return CompileRefusingNames(text);
    case NameLookup::kResolve:
      return CompileText(text);
  }
  return Fail("the filter cannot be compiled");
}

}  // namespace

CaptureFilter::CaptureFilter(Kind kind, std::string text, std::unique_ptr<FilterProgram> program,
                             NameLookup lookup, Duration lookup_limit)
    : kind_(kind),
      text_(std::move(text)),
      program_(std::move(program)),
      lookup_(lookup),
      lookup_limit_(lookup_limit) {}

CaptureFilter::CaptureFilter(CaptureFilter&&) noexcept = default;
CaptureFilter& CaptureFilter::operator=(CaptureFilter&&) noexcept = default;
CaptureFilter::~CaptureFilter() = default;

const bpf_program* CaptureFilter::program() const {
  return program_ ? program_->view() : nullptr;
}

Result<CaptureFilter> CaptureFilter::Compile(std::string_view text, NameLookup lookup,
                                             const LookupBounds& bounds) {
  std::string own(text);
  if (own.find('\0') != std::string::npos) {
    return Fail("the filter has a NUL character in it", Error::Kind::kUsage);
  }
  if (Trim(own).empty()) {
    return CaptureFilter(Kind::kAll, std::move(own), nullptr, lookup, bounds.limit);
  }
  auto compiled = CompileBounded([&] { return CompileHere(own, lookup); }, lookup, bounds);
  if (!compiled) return Failure(compiled);
  std::unique_ptr<FilterProgram> program;
  if (!compiled->instructions.empty()) {
    program = std::make_unique<FilterProgram>(std::move(compiled->instructions));
  }
  return CaptureFilter(compiled->kind, std::move(own), std::move(program), lookup, bounds.limit);
}

}  // namespace cloudflaredump::filter
