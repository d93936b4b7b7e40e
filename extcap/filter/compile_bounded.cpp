// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile_bounded.h"

#include <cstring>
#include <string>

#include "common/text.h"
#include "extcap/filter/child_call.h"
#include "extcap/filter/compile.h"

namespace cloudflaredump::filter {
namespace {

using Kind = CaptureFilter::Kind;

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
  std::memcpy(compiled.instructions.data(), text.data() + 1,
              compiled.instructions.size() * sizeof(bpf_insn));
  return compiled;
}

Result<Compiled> Answered(const Result<std::string>& answer) {
  if (answer && !answer->empty()) return Unpack(*answer);
  return Fail("libpcap could not compile the filter: " +
              (answer ? "it gave no answer" : ClauseOf(answer.error())));
}

}  // namespace

Result<Compiled> CompileBounded(const std::function<Result<Compiled>()>& compile, NameLookup lookup,
                                const LookupBounds& bounds) {
  if (NameLookupForbidden()) return compile();
  const auto without_names = [&] {
    ForbidNameLookup();
    return Pack(compile());
  };
  auto compiled = Answered(CallInChild(without_names, std::nullopt));
  if (compiled || lookup != NameLookup::kResolve) return compiled;
  const std::string name = UnknownHostIn(compiled.error());
  if (name.empty()) return compiled;
  const auto answer = CallInChild([&] { return Pack(compile()); }, bounds.limit, bounds.stop);
  if (!answer && answer.error().kind == Error::Kind::kInterrupted) {
    return Failure(answer);
  }
  if (!answer && answer.error().kind == Error::Kind::kPassing) {
    return Fail(Format("there was no answer within %s to the look-up of the names in the filter, "
                       "\"%s\" among them",
                       FormatSpan(bounds.limit).c_str(), name.c_str()),
                "use addresses instead, or try again", Error::Kind::kPassing);
  }
  return Answered(answer);
}

}  // namespace cloudflaredump::filter
