// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/full_request.h"

#include "common/colos.h"
#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/description.h"
#include "extcap/capture/traffic_notes.h"

namespace cloudflaredump::capture {
namespace {

Result<std::string> ColoOf(const CaptureContext& context) {
  const bool own = context.interface.kind == config::InterfaceKind::kColo;
  const std::string& colo =
      own ? context.interface.colo : context.settings.Text(config::Opt::kColo);
  if (IsColoShape(colo)) return config::CanonicalColo(colo);
  if (colo.empty()) {
    return Fail("no data center", "give Cloudflare's code of one with the option colo, such as ORD",
                Error::Kind::kUsage);
  }
  return Fail("\"" + CleanLine(colo, 40) + "\" is not the code of a data center",
              "a code is three letters and at most three digits, such as ORD or ord02",
              Error::Kind::kUsage);
}

Result<std::string> DestinationOf(const CaptureContext& context) {
  const std::string& destination = context.settings.Text(config::Opt::kDestinationConf);
  if (destination.empty()) {
    return Fail("no bucket",
                "a full capture is written to your own: give it with the option destination-conf, "
                "such as 's3://BUCKET/DIRECTORY?region=REGION', once it is registered "
                "(cloudflaredump register-bucket)",
                Error::Kind::kUsage);
  }
  // R2's keys are for the registration only ("Set up a bucket").
  return destination.starts_with("r2://") ? DropKeys(destination) : destination;
}

Result<void> CheckBroad(const CaptureContext& context, const filter::Plan& plan) {
  if (!plan.broad) return {};
  Error refusal = filter::BroadPlanError(plan);
  if (context.settings.Text(config::Opt::kIfBroad) == "warn") {
    context.Warn(ClauseOf(refusal) + ".");
    return {};
  }
  if (const std::string busiest = BusiestAddresses(context); !busiest.empty()) {
    refusal.remedy = "its busiest addresses of the last hour: " + busiest + "; " + refusal.remedy;
  }
  return std::unexpected(std::move(refusal));
}

}  // namespace

Result<api::PcapRequest> MakeFullRequest(const CaptureContext& context, const filter::Plan& plan) {
  const config::Settings& settings = context.settings;
  auto colo = ColoOf(context);
  if (!colo) return Failure(colo);
  auto destination = DestinationOf(context);
  if (!destination) return Failure(destination);
  if (auto narrow = CheckBroad(context, plan); !narrow) return Failure(narrow);
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kFull;
  request.time_limit = settings.Number(config::Opt::kTimeLimit);
  request.packet_limit = settings.Number(config::Opt::kPacketLimit);
  if (settings.Has(config::Opt::kByteLimit)) {
    request.byte_limit = settings.Number(config::Opt::kByteLimit);
  }
  request.colo = *std::move(colo);
  request.destination_conf = *std::move(destination);
  request.filter_v1 = ToFilterV1(plan.requests.front());
  return request;
}

}  // namespace cloudflaredump::capture
