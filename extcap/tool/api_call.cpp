// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/api_call.h"

namespace cloudflaredump::tool {

using namespace std::chrono_literals;

Result<ApiCall> ApiCall::Prepare(int argc, char** argv, const config::CommandHelp& help,
                                 const WordCount& words,
                                 std::span<const config::ExtraArgument> extra) {
  ApiCall call;
  auto arguments = config::ParseArguments(argc, argv, extra, help);
  if (!arguments) return Failure(arguments);
  call.words = arguments->words;
  if (call.words.size() != words.count) return Fail(words.otherwise, Error::Kind::kUsage);
  auto settings = config::Settings::Load(arguments->values, config::InterfaceKind::kDownload,
                                         system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  call.settings = *std::move(settings);
  auto access = capture::FindAccess(call.settings);
  if (!access) return Failure(access);
  auto engine = capture::Engine::Make(call.settings, system::ProcessEnvironment);
  if (!engine) return Failure(engine);
  call.engine = *std::move(engine);
  call.api = std::make_unique<api::PcapsApi>(call.engine->http(), call.engine->loop(), *access);
  return call;
}

api::Patience ApiCall::patience() const {
  return {.retry_budget = 5s, .stop = engine->stop().Stopping()};
}

}  // namespace cloudflaredump::tool
