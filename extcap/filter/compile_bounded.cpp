// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/compile_bounded.h"

#include <cstring>
#include <string>

#include "extcap/base/text.h"
#include "extcap/filter/child_call.h"
#include "extcap/filter/compile.h"

namespace cloudflaredump {
namespace {

using Kind = CaptureFilter::Kind;

/// A result as a text for the way back from the child process: its kind, then what it holds.
std::string Pack(const Result<Compiled>& result) {
  if (!result) return "!" + result.error().message;
  std::string text(1, result->kind == Kind::kLinkLayer ? 'l' : 'i');
  text.append(reinterpret_cast<const char*>(result->instructions.data()),
              result->instructions.size() * sizeof(bpf_insn));
  return text;
}

Result<Compiled> Unpack(const std::string& text) {
  if (text.starts_with('!')) return Fail(text.substr(1), Error::Kind::kUsage);
  Compiled compiled;
  compiled.kind = text.starts_with('l') ? Kind::kLinkLayer : Kind::kIp;
  compiled.instructions.resize((text.size() - 1) / sizeof(bpf_insn));
  std::memcpy(compiled.instructions.data(), text.data() + 1,
              compiled.instructions.size() * sizeof(bpf_insn));
  return compiled;
}

}  // namespace

Result<Compiled> CompileBounded(const std::function<Result<Compiled>()>& compile, NameLookup lookup,
                                Duration limit) {
  if (NameLookupForbidden()) return compile();
  const auto answer = CallInChild(
      [&] {
        if (lookup != NameLookup::kResolve) ForbidNameLookup();
        return Pack(compile());
      },
      limit);
  if (answer && !answer->empty()) return Unpack(*answer);
  if (!answer && answer.error().kind == Error::Kind::kTransient) {
    return Fail(Format("The filter could not be compiled within %s: no answer to the look-up of a "
                       "name in it. Use its address instead, or try again.",
                       FormatSpan(limit).c_str()),
                Error::Kind::kTransient);
  }
  return Fail("libpcap could not compile the filter: " +
              (answer ? "it gave no answer." : answer.error().message));
}

}  // namespace cloudflaredump
