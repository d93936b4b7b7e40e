// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/full_run.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <thread>

namespace cloudflare_emulator {
namespace {

using std::chrono::floor;
using std::chrono::microseconds;

/// Cloudflare's own sentence (the schema's example of error_message).
constexpr const char* kNoPackets =
    "No packets matched the filter in the time limit given. Please modify the filter or try again.";

/// How long a full capture is pending before it runs: a tenth of its time, at most a second.
Span PendingTime(double time_limit) {
  return Seconds(std::min(time_limit / 10, 1.0));
}

/// Writes all objects, several at a time; says what went wrong first.
Outcome<void> WriteAll(const Destination& destination, const std::vector<PartObject>& objects,
                       const std::atomic<bool>& cancelled) {
  constexpr std::size_t kWriters = 8;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Outcome<void> outcome;
  const auto write = [&] {
    for (std::size_t i = next++; i < objects.size(); i = next++) {
      auto written = WriteObject(destination, objects[i].name, objects[i].bytes, cancelled);
      if (written) continue;
      const std::lock_guard lock(mutex);
      if (outcome) outcome = std::move(written);
      return;
    }
  };
  std::vector<std::thread> writers;
  for (std::size_t i = 0; i < std::min(kWriters, objects.size()); ++i) writers.emplace_back(write);
  for (std::thread& writer : writers) writer.join();
  return outcome;
}

Span Faster(Span span, double speed) {
  return Seconds(std::chrono::duration<double>(span).count() / speed);
}

}  // namespace

FullRun::FullRun(std::string id, const CaptureRequest& request, Destination destination,
                 const FullSettings& settings, const Traffic& traffic, const Moment& now)
    : id_(std::move(id)),
      request_(request),
      destination_(std::move(destination)),
      settings_(settings) {
  const Span pending = Faster(PendingTime(request.time_limit), settings.speed);
  start_ = now.monotonic + pending;
  first_time_ = floor<microseconds>(now.wall + pending);
  taken_until_ = first_time_ - Span(1);
  traffic_ = traffic.Live(first_time_, Seconds(request.time_limit));
}

FullRun::~FullRun() {
  cancelled_ = true;
}

void FullRun::Advance(Span now) {
  if (!ended_) {
    if (now >= start_) status_ = "running";
    Take(now);
  }
  if (ended_ && !finished_) Convert(now);
  if (finished_) Finish(now);
}

bool FullRun::IsSeen(const Record& record) const {
  if (settings_.places == nullptr || !settings_.places->told()) return true;
  const json_t* const body = request_.body.get();
  auto colo = TextOf(json_object_get(body, "colo_name"));
  if (!colo) colo = TextOf(json_object_get(body, "colo"));
  return settings_.places->EntersAt(record, colo.value_or(""));
}

bool FullRun::IsFull(std::size_t next_bytes) const {
  if (request_.packet_limit && static_cast<double>(records_.size() + 1) > *request_.packet_limit) {
    return true;
  }
  return request_.byte_limit && static_cast<double>(bytes_ + next_bytes) > *request_.byte_limit;
}

void FullRun::Take(Span now) {
  const Span limit = Seconds(request_.time_limit);
  const Span passed = std::min(Faster(now - start_, 1 / settings_.speed), limit);
  if (passed < Span::zero()) return;
  for (Record& record : traffic_->Between(taken_until_ + Span(1), first_time_ + passed)) {
    if (!Matches(request_.filter, record) || !IsSeen(record)) continue;
    if (IsFull(record.bytes.size())) return End(now);
    bytes_ += record.bytes.size();
    records_.push_back(std::move(record));
  }
  taken_until_ = std::max(taken_until_, first_time_ + passed);
  const bool never = settings_.result == "never";
  // The limit is reached with the packet that fills it, not with the next.
  if (IsFull(1) || (passed == limit && !never)) End(now);
}

bool FullRun::Stop(const Moment& now) {
  Advance(now.monotonic);
  if (finished_) return false;
  if (!stop_requested_) stop_requested_ = now.wall;
  if (!ended_) End(now.monotonic);
  return true;
}

void FullRun::End(Span now) {
  ended_ = now;
  traffic_.reset();
}

void FullRun::Fail(std::string why) {
  status_ = "failed";
  error_message_ = std::move(why);
}

/// From the end of the capturing to the result.
void FullRun::Convert(Span now) {
  const bool fails = settings_.result == "failed";
  const bool writes = !records_.empty() && !fails;
  status_ = now < *ended_ + settings_.job / 2 ? "conversion_pending" : "conversion_running";
  if (writes && status_ == "conversion_running" && !writing_.valid()) {
    objects_ = MakeParts(id_, records_, settings_.form, settings_.parts, settings_.seed);
    WriteParts(false);
  }
  const bool written =
      writing_.valid() && writing_.wait_for(Span::zero()) == std::future_status::ready;
  if (now < *ended_ + settings_.job || (writes && !written)) return;
  finished_ = now;
  status_ = settings_.result == "never" ? "success" : settings_.result;
  if (fails) return Fail("The packet capture failed.");
  if (records_.empty()) {
    status_ = settings_.no_packets_result;
    error_message_ = kNoPackets;
    return;
  }
  const Outcome<void> outcome = writing_.get();
  if (!outcome) Fail("The bucket could not be written: " + outcome.error() + ".");
}

/// After the result: the parts that come late.
void FullRun::Finish(Span now) {
  if (late_written_ || status_ == "failed" || objects_.empty()) return;
  if (now < *finished_ + Seconds(settings_.parts.late_seconds / settings_.speed)) return;
  late_written_ = true;
  WriteParts(true);
}

void FullRun::WriteParts(bool late) {
  std::vector<PartObject> due;
  std::ranges::copy_if(objects_, std::back_inserter(due),
                       [late](const PartObject& object) { return object.late == late; });
  writing_ = std::async(std::launch::async, [this, objects = std::move(due)] {
    return WriteAll(destination_, objects, cancelled_);
  });
}

}  // namespace cloudflare_emulator
