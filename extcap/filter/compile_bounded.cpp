// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile_bounded.h"

#include <algorithm>
#include <new>
#include <string>

#include "common/text.h"
#include "extcap/filter/child_call.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/libpcap_words.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::filter {
namespace {

using Kind = CaptureFilter::Kind;
using Meaning = LibpcapWords::Meaning;

constexpr const char* kSmaller = "use fewer alternatives, for example a portrange or a net";

/// A result as a text for the way back from the child process: its kind, then what it holds.
std::string Pack(const Result<Compiled>& result) {
  if (!result) return "!" + result.error().what + '\0' + result.error().remedy;
  std::string text(1, result->kind == Kind::kLinkLayer ? 'l' : 'i');
  text.append(reinterpret_cast<const char*>(result->instructions.data()),
              result->instructions.size() * sizeof(bpf_insn));
  return text;
}

Result<Compiled> Unpack(const std::string& text) {
  if (text.starts_with('!')) {
    const std::size_t end = text.find('\0');
    return Fail(text.substr(1, end - 1), text.substr(end + 1), Error::Kind::kUsage);
  }
  Compiled compiled;
  compiled.kind = text.starts_with('l') ? Kind::kLinkLayer : Kind::kIp;
  compiled.instructions.resize((text.size() - 1) / sizeof(bpf_insn));
  std::copy(text.begin() + 1, text.end(), reinterpret_cast<char*>(compiled.instructions.data()));
  return compiled;
}

/// One run of `compile` in a child, which `prepare`s itself first.
Result<Compiled> InChild(const std::function<Result<Compiled>()>& compile,
                         const std::function<void()>& prepare, const CompileBounds& bounds) {
  const Duration limit = bounds.limits->compile;
  const auto work = [&] {
    prepare();
    try {
      return Pack(compile());
    } catch (const std::bad_alloc&) {
      return Pack(Fail("out of memory"));
    }
  };
  const auto answer = CallInChild(work, limit, bounds.stop);
  if (!answer) {
    switch (answer.error().kind) {
      case Error::Kind::kInterrupted:
        return Failure(answer);
      case Error::Kind::kPassing:
        return Fail(Format("libpcap did not finish compiling this filter within %s",
                           FormatSpan(limit).c_str()),
                    kSmaller, Error::Kind::kUsage);
      default:
        return Fail("libpcap could not compile the filter: " + ClauseOf(answer.error()));
    }
  }
  auto compiled = Unpack(*answer);
  if (!compiled && JudgeLibpcapWords(compiled.error().what).meaning == Meaning::kNoMemory) {
    return Fail(
        Format("libpcap needs more than %zu MiB to compile this filter", kCompileMemory >> 20),
        kSmaller, Error::Kind::kUsage);
  }
  return compiled;
}

/// Whether the name service answers in time, whatever it says.
Result<void> TryLookUp(const std::string& host, const CompileBounds& bounds) {
  const Duration limit = bounds.limits->look_up;
  const auto work = [&] {
    const auto compiled = CompileProgram("host \\" + host, kLinkTypeRaw);
    return std::string(compiled ? "known" : "unknown");
  };
  const auto answer = CallInChild(work, limit, bounds.stop);
  if (answer) return {};
  if (answer.error().kind != Error::Kind::kPassing) return Failure(answer);
  return Fail(Format("there was no answer within %s to the look-up of the names in the filter, "
                     "\"%s\" among them",
                     FormatSpan(limit).c_str(), host.c_str()),
              "use addresses instead, or try again", Error::Kind::kPassing);
}

}  // namespace

Result<Compiled> CompileBounded(const std::function<Result<Compiled>()>& compile, NameLookup lookup,
                                const CompileBounds& bounds) {
  if (!bounds.limits) return compile();
  auto compiled = InChild(compile, ForbidNameLookup, bounds);
  if (compiled || lookup != NameLookup::kResolve) return compiled;
  const LibpcapWords words = JudgeLibpcapWords(compiled.error().what);
  if (words.meaning != Meaning::kUnknownHost) return compiled;
  if (auto tried = TryLookUp(words.host, bounds); !tried) return Failure(tried);
  return InChild(compile, [] {}, bounds);
}

}  // namespace cloudflaredump::filter
