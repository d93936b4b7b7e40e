// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile_text.h"

#include <cctype>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/text.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/libpcap_words.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::filter {
namespace {

using Kind = CaptureFilter::Kind;
using Meaning = LibpcapWords::Meaning;

bool IsMistake(const Error& error) {
  return JudgeLibpcapWords(error.what).meaning == Meaning::kMistake;
}

/// libpcap's answer for one link type.
struct Answer {
  Result<std::vector<bpf_insn>> program;
  Meaning meaning;  ///< of its words; kMistake if there are none
};

Answer Ask(const std::string& text, std::uint32_t link_type) {
  auto program = CompileProgram(text, link_type);
  const Meaning meaning = !program ? JudgeLibpcapWords(program.error().what).meaning
                          : ReadsLiveOnly(*program) ? Meaning::kLiveOnly
                                                    : Meaning::kMistake;
  return {std::move(program), meaning};
}

std::unexpected<Error> FailLiveOnly() {
  return Fail(
      "the words inbound, outbound and ifindex cannot be used here: a capture file does not say in "
      "which direction or on which interface a packet passed",
      Error::Kind::kUsage);
}

Result<Compiled> CompileAsItIs(const std::string& text) {
  Answer raw = Ask(text, kLinkTypeRaw);
  if (raw.meaning == Meaning::kLiveOnly) return FailLiveOnly();
  if (raw.program) return Compiled{Kind::kIp, *std::move(raw.program)};
  if (raw.meaning != Meaning::kMistake) return Failure(raw.program);
  Answer ethernet = Ask(text, kLinkTypeEthernet);
  if (ethernet.meaning == Meaning::kLiveOnly) return FailLiveOnly();
  if (ethernet.program) return Compiled{Kind::kLinkLayer, *std::move(ethernet.program)};
  return Failure(ethernet.meaning == Meaning::kUnknownHost ? ethernet.program : raw.program);
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
      const auto compiled = CompileAsItIs(attempt);
      if (compiled || !IsMistake(compiled.error())) return attempt;
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
    auto compiled = CompileAsItIs(text);
    if (compiled) {
      if (has_names) compiled->instructions.clear();
      return compiled;
    }
    const LibpcapWords words = JudgeLibpcapWords(compiled.error().what);
    if (has_names && words.meaning == Meaning::kRejectsAll) return Compiled{};
    if (words.meaning != Meaning::kUnknownHost) return compiled;
    has_names = true;
    auto replaced = ReplaceName(text, words.host);
    if (!replaced) return Failure(replaced);
    text = std::move(*replaced);
  }
}

}  // namespace

Result<Compiled> CompileText(const std::string& text, NameLookup lookup) {
  if (lookup == NameLookup::kAccept) return CompileAcceptingNames(text);
  auto compiled = CompileAsItIs(text);
  if (compiled || lookup == NameLookup::kResolve) return compiled;
  const LibpcapWords words = JudgeLibpcapWords(compiled.error().what);
  if (words.meaning != Meaning::kUnknownHost) return compiled;
  return Fail(Format("the name \"%s\" needs a look-up, which is done only when a capture starts",
                     words.host.c_str()),
              kUnknownHostRemedy, Error::Kind::kUsage);
}

}  // namespace cloudflaredump::filter
