// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/api_call.h"

namespace cloudflaredump {

using namespace std::chrono_literals;

Result<ApiCall> ApiCall::Prepare(int argc, char** argv, const CommandHelp& help,
                                 const WordCount& words, std::span<const ExtraArgument> extra) {
  ApiCall call;
  auto arguments = ParseArguments(argc, argv, extra, help);
  if (!arguments) return std::unexpected(arguments.error());
  call.words = arguments->words;
  if (call.words.size() != words.count) return Fail(words.otherwise, Error::Kind::kUsage);
  auto settings = Settings::Load(arguments->values, InterfaceKind::kDownload, ProcessEnvironment);
  if (!settings) return std::unexpected(settings.error());
  call.settings = *std::move(settings);
  auto access = FindAccess(call.settings);
  if (!access) return std::unexpected(access.error());
  auto engine = Engine::Make(call.settings, ProcessEnvironment);
  if (!engine) return std::unexpected(engine.error());
  call.engine = *std::move(engine);
  call.api = std::make_unique<PcapsApi>(call.engine->http(), call.engine->loop(), *access);
  return call;
}

Patience ApiCall::patience() const {
  return {.retry_budget = 5s, .stop = engine->stop().Stopping()};
}

}  // namespace cloudflaredump
