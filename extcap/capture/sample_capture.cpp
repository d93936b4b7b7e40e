// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_capture.h"

#include <algorithm>
#include <tuple>

#include "extcap/base/text.h"
#include "extcap/capture/description.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/sample_pacing.h"
#include "extcap/capture/verdict.h"
#include "extcap/system/log.h"

namespace cloudflaredump {
namespace {

using std::chrono::seconds;

std::string Rfc3339(std::uint64_t nanoseconds) {
  return FormatRfc3339(WallTime(std::chrono::nanoseconds(nanoseconds)));
}

std::string ClockTime(WallTime time) {
  return FormatRfc3339(time).substr(11, 8);
}

/// What a request of a two-way plan is after, for the status: "inbound", "outbound", "request 2".
std::string NameOf(const Box& box, std::size_t request) {
  if (box.destination_address && !box.source_address) return "inbound";
  if (box.source_address && !box.destination_address) return "outbound";
  return Format("request %zu", request + 1);
}

/// Refuses a run that would take more requests than the user allows.
Result<void> CheckPrice(std::size_t windows, std::size_t requests, std::uint64_t allowed,
                        Duration interval) {
  const std::size_t price = windows * requests;
  if (price <= allowed) return {};
  return Fail(
      Format("this takes %zu requests (%zu windows, %zu each) at one a minute, about %s, "
             "and --max-requests is %llu; shorten the time, allow more requests, or use "
             "--requests-per-window 1.",
             price, windows, requests, FormatSpan(interval * static_cast<int>(price)).c_str(),
             static_cast<unsigned long long>(allowed)),
      Error::Kind::kUsage);
}

}  // namespace

Outcome SampleCapture::Run() {
  const Settings& settings = context_.settings;
  const auto time_limit = seconds(settings.Number(Opt::kTimeLimit));
  plan_ = MakePlan(context_.filter,
                   {.max_requests = static_cast<int>(settings.Number(Opt::kRequestsPerWindow)),
                    .pin_ipv6 = settings.IsOn(Opt::kFilterIpv6)});
  auto windows = PlanWindows(settings.Text(Opt::kStartTime), settings.Text(Opt::kEndTime),
                             time_limit, context_.loop.Now());
  auto done = windows ? CheckPrice(windows->size(), plan_.requests.size(),
                                   settings.Number(Opt::kMaxRequests),
                                   seconds(settings.Number(Opt::kSampleInterval)))
                      : Result<void>(std::unexpected(windows.error()));
  if (done) done = CaptureWindows(*windows);
  if (!done && done.error().kind == Error::Kind::kInterrupted) {
    outcome_.stopped = true;
  } else if (!done) {
    outcome_.error = done.error();
  }
  if (!context_.stream.begun()) return outcome_;
  outcome_.stream_begun = true;
  Coverage coverage{.asked = "sample from " + ClockTime(windows->front().start) + " to " +
                             ClockTime(windows->back().end) + " UTC"};
  for (const DeliveredPart& part : delivered_) {
    const InterfaceStatistics& told = part.statistics;
    if (told.received == 0) continue;
    const std::uint64_t first = coverage.first_nanoseconds;
    coverage.first_nanoseconds =
        first == 0 ? told.first_nanoseconds : std::min(first, told.first_nanoseconds);
    coverage.last_nanoseconds = std::max(coverage.last_nanoseconds, told.last_nanoseconds);
  }
  outcome_.verdict =
      Verdict(outcome_, coverage, context_.filter.kind() != CaptureFilter::Kind::kAll);
  if (auto finished = Finish();
      !finished && !outcome_.error && finished.error().kind != Error::Kind::kInterrupted) {
    outcome_.error = finished.error();
  }
  return outcome_;
}

Result<void> SampleCapture::CaptureWindows(const std::vector<Window>& windows) {
  for (const Window& window : windows) {
    std::vector<SamplePart> parts;
    auto captured = CaptureWindow(window, parts);
    // A stop, or a fault after the first answer, still delivers what is held.
    if (!parts.empty()) {
      if (auto delivered = DeliverWindow(std::move(parts)); !delivered) return delivered;
    }
    if (!captured) return captured;
  }
  return {};
}

Result<void> SampleCapture::CaptureWindow(const Window& window, std::vector<SamplePart>& parts) {
  progress_.clear();
  for (std::size_t request = 0; request < plan_.requests.size(); ++request) {
    auto part = CaptureRequest(window, request);
    if (!part) return std::unexpected(part.error());
    if (plan_.requests.size() > 1) {
      progress_ += Format("%s done, %s packets; ", NameOf(plan_.requests[request], request).c_str(),
                          WithThousands(part->packets.size()).c_str());
    }
    parts.push_back(*std::move(part));
  }
  return {};
}

Result<SamplePart> SampleCapture::CaptureRequest(const Window& window, std::size_t number) {
  const Settings& settings = context_.settings;
  const auto interval = seconds(settings.Number(Opt::kSampleInterval));
  const Box& box = plan_.requests[number];
  const std::string name = NameOf(box, number);
  auto known = AwaitSampleTurn(
      context_.api, context_.loop, interval, context_.BeforeJob(), [&](Duration left) {
        context_.Tell(
            progress_ + "waiting " + FormatSpan(left) +
            (plan_.requests.size() > 1 ? " for " + name : " for Cloudflare's next sample"));
      });
  if (!known) return std::unexpected(known.error());

  PcapRequest request;
  request.type = PcapRequest::Type::kSimple;
  request.time_limit =
      static_cast<std::uint64_t>(std::chrono::ceil<seconds>(window.end - window.start).count());
  request.packet_limit = settings.Number(Opt::kPacketLimit);
  request.offset_time = window.end;
  request.filter_v1 = ToFilterV1(box);
  auto job = context_.api.Create(request, *known, context_.BeforeJob());
  if (!job) return std::unexpected(job.error());
  // Answers may leave out what the request said.
  if (!job->packet_limit) job->packet_limit = request.packet_limit;
  outcome_.pcap_ids.push_back(job->id);
  Log(LogLevel::kInfo, "sample %s requested: %s", job->id.c_str(),
      WritePcapRequest(request).c_str());

  const SteadyTime started = context_.loop.Steady();
  const auto deadline = started + seconds(settings.Number(Opt::kMaxWait));
  auto finished = AwaitJob(
      context_.api, context_.loop, *job, deadline, context_.WithJob(), [&](const PcapJob& told) {
        const Duration age = context_.loop.Steady() - started;
        context_.Tell(progress_ + CleanLine(told.status, 40) + ", " + FormatSpan(age));
      });
  if (!finished) return std::unexpected(finished.error());
  if (!finished->packet_limit) finished->packet_limit = request.packet_limit;
  if (!finished->offset_time) finished->offset_time = FormatRfc3339(window.end);
  if (finished->filter_v1 == FilterV1()) finished->filter_v1 = request.filter_v1;

  context_.Tell(progress_ + "downloading");
  auto download = context_.api.DownloadSample(finished->id, context_.WithJob());
  if (!download) return std::unexpected(download.error());
  KeepOriginal(context_, "pcap_" + finished->id + ".pcap", download->bytes);
  return ReadSample(*finished, download->bytes, download->end_is_certain, context_.filter);
}

Result<void> SampleCapture::DeliverWindow(std::vector<SamplePart> parts) {
  PacketCounts tested;
  for (const SamplePart& part : parts) tested += part.Count();
  const bool local = context_.settings.IsOn(Opt::kLocalFilter);
  // An exact plan's packets must all match. If none does, they contradict our model of the fields
  // (still encapsulated, say), and hiding them would hide the only evidence.
  const bool mismatch =
      local && plan_.exact && tested.received > 0 && tested.filtered_out == tested.received;
  if (mismatch) {
    context_.Warn(
        "Cloudflare's packets for an exact filter do not match it here (are they still "
        "encapsulated?); all are delivered, and --local-filter off does so every time.");
  }
  const auto first_interface = static_cast<std::uint32_t>(delivered_.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CountPart(parts[i], AddInterface(parts[i], i, mismatch));
  }
  auto delivered = DeliverPackets(parts, first_interface, mismatch || !local);
  if (!delivered) return delivered;
  return context_.stream.Flush();
}

std::uint32_t SampleCapture::AddInterface(const SamplePart& part, std::size_t request,
                                          bool mismatch) {
  CaptureDescription description = DescribeJob(part.job);
  if (!context_.filter.text().empty()) description.capture_filter = context_.filter.text();
  description.request = request + 1;
  description.requests = plan_.requests.size();
  if (!part.packets.empty()) {
    description.coverage_first = Rfc3339(part.first_nanoseconds());
    description.coverage_last = Rfc3339(part.last_nanoseconds());
  }
  description.limit_reached = part.LimitReached();
  if (mismatch) description.residual_mismatch = true;
  if (!part.end_is_certain) description.end_uncertain = true;
  return context_.stream.AddInterface({.link_type = part.header.link_type,
                                       .precision = part.header.precision,
                                       .name = context_.interface.name,
                                       .description = WriteCaptureDescription(description),
                                       .filter = context_.filter.text()});
}

void SampleCapture::CountPart(const SamplePart& part, std::uint32_t interface_id) {
  const PacketCounts counts = part.Count();
  InterfaceStatistics statistics;
  statistics.received = counts.received;
  statistics.first_nanoseconds = part.first_nanoseconds();
  statistics.last_nanoseconds = part.last_nanoseconds();
  outcome_.counts.received += counts.received;
  delivered_.resize(interface_id + 1);
  delivered_[interface_id] = {part.header.precision, statistics};
  if (part.LimitReached()) {
    outcome_.losses.push_back(
        Format("the limit of %s packets was reached, so the window is not covered to its end",
               WithThousands(*part.job.packet_limit).c_str()));
  }
  if (part.damage) {
    outcome_.losses.push_back("the file of capture " + part.job.id +
                              " is damaged: " + *part.damage);
  }
  if (!part.end_is_certain) {
    outcome_.losses.push_back("the download of capture " + part.job.id +
                              " ended without saying that it was whole");
  }
}

Result<void> SampleCapture::DeliverPackets(std::vector<SamplePart>& parts,
                                           std::uint32_t first_interface, bool all) {
  struct Place {
    std::uint64_t nanoseconds;
    std::size_t part;
    std::size_t packet;
  };
  std::vector<Place> order;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    duplicates_.BeginRequest();
    for (std::size_t k = 0; k < parts[i].packets.size(); ++k) {
      const TestedPacket& tested = parts[i].packets[k];
      InterfaceStatistics& statistics = delivered_[first_interface + i].statistics;
      if (!all && tested.answer == FilterAnswer::kRejects) {
        ++statistics.filtered_out;
        ++outcome_.counts.filtered_out;
        continue;
      }
      const auto time = Nanoseconds(tested.packet.ticks, parts[i].header.precision);
      if (!duplicates_.IsNew(time, tested.packet.original_length, tested.packet.bytes)) {
        ++outcome_.counts.duplicates;
        continue;
      }
      order.push_back({time, i, k});
    }
  }
  std::ranges::stable_sort(order, {}, &Place::nanoseconds);

  // The last delivered packet of a damaged part carries the mark of what was lost after it.
  std::vector<const Place*> last(parts.size(), nullptr);
  for (const Place& place : order) last[place.part] = &place;

  for (const Place& place : order) {
    const SamplePart& part = parts[place.part];
    const TestedPacket& tested = part.packets[place.packet];
    PacketMark mark;
    mark.undecided = tested.answer == FilterAnswer::kUndecided;
    if (part.damage && last[place.part] == &place) mark.damaged = *part.damage;
    const bool marked = mark != PacketMark();
    const auto interface_id = static_cast<std::uint32_t>(first_interface + place.part);
    auto taken = context_.stream.AddPacket(
        interface_id, tested.packet,
        marked ? std::vector{WritePacketMark(mark)} : std::vector<std::string>());
    if (!taken) return std::unexpected(taken.error());
    InterfaceStatistics& statistics = delivered_[interface_id].statistics;
    if (!*taken) {
      outcome_.losses.push_back("a packet too long for Wireshark was left out");
      continue;
    }
    ++statistics.delivered;
    ++outcome_.counts.delivered;
    if (mark.undecided) {
      ++statistics.undecided;
      ++outcome_.counts.undecided;
    }
  }
  return {};
}

Result<void> SampleCapture::Finish() {
  for (std::size_t i = 0; i < delivered_.size(); ++i) {
    InterfaceStatistics statistics = delivered_[i].statistics;
    statistics.comment = outcome_.verdict;
    context_.stream.AddStatistics(static_cast<std::uint32_t>(i), delivered_[i].precision,
                                  statistics);
  }
  return context_.stream.Flush();
}

}  // namespace cloudflaredump
