// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/live_capture.h"

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "extcap/capture/busy_hosts.h"
#include "extcap/capture/sample_delivery.h"
#include "extcap/system/log.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// What clocks may differ by.
constexpr Duration kClockMargin = 5s;

/// A server may begin a window earlier than it was asked to.
constexpr Duration kRounding = 60s;

/// After "Finish now" people wait for the end: a last window that fails is not tried forever.
constexpr int kTriesToFinish = 3;

/// A length of the loop's time on the wall clock, in whole seconds.
Duration OnTheWall(const system::EventLoop& loop, Duration span) {
  return std::max<Duration>(std::chrono::ceil<seconds>(loop.ToReal(span)), 1s);
}

/// "12:03:10 to 12:04:10", in the machine's time zone.
std::string ShownTimes(const Window& window) {
  const std::string local = LocalTimes(window.start, window.end);
  std::string text = local.empty() ? FormatTimes(window.start, window.end) : local;
  return text.substr(0, text.rfind(' '));
}

}  // namespace

LiveCapture::LiveCapture(const CaptureContext& context)
    : context_(context),
      plan_(SamplePlan(context)),
      requests_(context_, plan_, WindowCapture::Run::kLive, outcome_),
      delivery_(context_, plan_.exact, pcap::FileReader::Order::kWhole, outcome_),
      lag_(seconds(context.settings.Number(config::Opt::kLiveLag))),
      longest_(seconds(context.settings.Number(config::Opt::kTimeLimit))) {}

Outcome LiveCapture::Run() {
  auto done = CaptureWindows();
  const bool leaving = context_.stop.AtLeast(system::StopLevel::kLeave);
  if (!leaving && !sink_failed_ && !held_.empty()) {
    if (auto delivered = DeliverHeld(); !delivered) done = delivered;
  }
  // A stop is how this ends: nothing is missing but what nobody asked for.
  const bool ended = !done && done.error().kind == Error::Kind::kInterrupted &&
                     context_.stream.begun() && !leaving;
  if (!ended) outcome_.Note(done);
  NoteFailure();
  if (context_.stream.begun()) {
    NoteShare(covered_, asked_, outcome_);
    outcome_.window = {start_, from_};
    delivery_.Finish(Asked(), {.known = true});
  }
  return outcome_;
}

/// Says what the last tries did not bring.
void LiveCapture::NoteFailure() {
  if (!failure_) return;
  if (context_.stream.begun()) {
    outcome_.losses.push_back("what was seen from " +
                              FormatRfc3339(std::chrono::floor<seconds>(from_)) +
                              " on is missing: " + ClauseOf(*failure_));
  } else if (!outcome_.error) {
    outcome_.error = failure_;
  }
}

/// Delivers what the last window brought before it failed or was stopped.
Result<void> LiveCapture::DeliverHeld() {
  const WallTime whole_until = from_;
  outcome_.notes.push_back(Format("%zu of %zu requests of the last window",
                                  plan_.requests.size() - held_.size(), plan_.requests.size()));
  auto delivered = Deliver(held_window_, std::move(held_));
  from_ = whole_until;
  --windows_;  // not a whole one
  return delivered;
}

std::string LiveCapture::Asked() const {
  return Format("live sample from %s in %s, %s, %s", FormatTimes(start_, from_).c_str(),
                Counted(windows_, "window").c_str(),
                gaps_ == 0 ? "no gaps" : Counted(gaps_, "gap").c_str(),
                Counted(outcome_.pcap_ids.size(), "request").c_str());
}

Result<void> LiveCapture::CaptureWindows() {
  auto start = PlanLiveStart(context_.settings.Text(config::Opt::kStartTime), context_.loop.Now());
  if (!start) return Failure(start);
  if (lag_ >= longest_) {
    return Fail(Format("live-lag is %s, but a window lasts at most %s", FormatSpan(lag_).c_str(),
                       FormatSpan(longest_).c_str()),
                "give a shorter lag or a longer time limit", Error::Kind::kUsage);
  }
  if (!requests_.Allows(1)) {
    return Fail(
        Format(
            "a window takes %zu requests, and max-requests is %llu", plan_.requests.size(),
            static_cast<unsigned long long>(context_.settings.Number(config::Opt::kMaxRequests))),
        "allow more requests, or ask with fewer (requests-per-window 1)", Error::Kind::kUsage);
  }
  start_ = from_ = settled_ = *start;
  if (start_ + longest_ <= OldestEnd()) {
    start_ = from_ = settled_ = OldestEnd();
    context_.Warn("The live sample begins at " + FormatRfc3339(start_) +
                  ", as Cloudflare would not keep what is earlier until it is asked for.");
  }
  for (int tries = 0; requests_.Allows(1) && !last_;) {
    auto captured = CaptureNext();
    if (captured) continue;
    if (!MayGoOn(captured.error())) return captured;
    failure_ = captured.error();
    last_ = false;
    if (context_.stop.finishing() && ++tries == kTriesToFinish) break;
    if (auto waited = AwaitNextTry(captured.error()); !waited) return waited;
  }
  return {};
}

bool LiveCapture::MayGoOn(const Error& error) const {
  if (error.kind == Error::Kind::kInterrupted || error.kind == Error::Kind::kUsage) return false;
  if (context_.stop.AtLeast(system::StopLevel::kLeave)) return false;
  if (sink_failed_) return false;
  // What went wrong with one job says nothing about the next; what Cloudflare refuses it refuses.
  return requests_.posted() || (!outcome_.pcap_ids.empty() && error.kind == Error::Kind::kPassing);
}

Result<void> LiveCapture::AwaitNextTry(const Error& error) {
  const std::string what = ClauseOf(error);
  system::Log(system::LogLevel::kWarning, "the window from %s on is tried again: %s",
              FormatRfc3339(from_).c_str(), what.c_str());
  const auto tell = [&](Duration left) {
    context_.Tell(LastWindow() + "trying again in " + FormatSpan(left) + "; " + what);
  };
  const Duration wait = std::max<Duration>(requests_.interval(), 1s);
  if (!CountDown(context_.loop, wait, context_.stop.StoppingSoon(), tell)) return Stopped();
  return {};
}

Result<void> LiveCapture::CaptureNext() {
  auto window = AwaitWindow();
  if (!window) return Failure(window);
  held_.clear();
  held_window_ = *window;
  // What a fault leaves of a window is asked for again; should there be no next time, it is held.
  if (auto captured = requests_.Capture(*window, LastWindow(), held_); !captured) return captured;
  failure_.reset();
  outcome_.left_behind.clear();
  return Deliver(*window, std::exchange(held_, {}));
}

Result<void> LiveCapture::AwaitTime(Duration least) {
  system::EventLoop& loop = context_.loop;
  const WallTime ready = from_ + least + lag_;
  for (WallTime now = loop.Now(); now < ready; now = loop.Now()) {
    const Duration left = loop.FromReal(ready - now);
    TellNext(left);
    if (loop.RunUntil(context_.stop.StoppingSoon(), loop.Steady() + std::min<Duration>(left, 1s))) {
      return Stopped();
    }
  }
  return {};
}

Result<Window> LiveCapture::AwaitWindow() {
  system::EventLoop& loop = context_.loop;
  auto turn = requests_.AwaitTurn(
      [&](Duration left, bool leaves_turn) { TellNext(left, leaves_turn ? kLeavesTurn : ""); });
  if (!turn) return Failure(turn);
  // A request for a moment's packets is wasted: a sixth of a turn is worth one.
  auto ready = AwaitTime(OnTheWall(loop, requests_.interval() / 6));
  if (!ready) return Failure(ready);
  LeaveOutWhatIsGone();
  const WallTime newest = std::chrono::floor<seconds>(loop.Now() - lag_);
  const WallTime end = std::min<WallTime>(newest, settled_ + longest_);
  last_ = context_.stop.finishing() && end == newest;
  settled_after_ = std::clamp<WallTime>(newest - lag_, settled_, end);
  return Window{settled_, end};
}

WallTime LiveCapture::OldestEnd() const {
  // The last request of a window is sent so much later than the first, others' turns included.
  const auto turns = 2 * static_cast<int>(plan_.requests.size());
  const Duration last = OnTheWall(context_.loop, requests_.interval() * turns);
  return std::chrono::ceil<seconds>(context_.loop.Now() - kSampleHistory + kClockMargin + last);
}

void LiveCapture::LeaveOutWhatIsGone() {
  const WallTime oldest = OldestEnd();
  if (settled_ + longest_ > oldest) return;
  outcome_.losses.push_back("nothing was captured from " + FormatTimes(from_, oldest) +
                            ", which Cloudflare does not keep any more");
  ++gaps_;
  from_ = settled_ = oldest;
}

std::string LiveCapture::NoteCoverage(const Window& window, const std::vector<SampleFile>& files) {
  const Duration covered = CoveredTime(window, files);
  asked_ += window.end - window.start;
  covered_ += covered;
  if (covered == window.end - window.start) {
    limited_ = 0;
    narrower_.clear();
    return "";
  }
  if (++limited_ > 1) narrower_ = BusiestDestinations(files);
  return " (packet limit reached: " +
         std::to_string(PercentOf(covered, window.end - window.start)) + "% of the time)";
}

Result<void> LiveCapture::Deliver(const Window& window, std::vector<SampleFile> files) {
  // What is known only now cannot be said of the window before.
  auto ended = delivery_.EndWindow(last_comment_);
  sink_failed_ = !ended;
  if (!ended) return ended;
  const Window added{from_, window.end};
  const std::string coverage = NoteCoverage(added, files);
  const std::uint64_t before = outcome_.counts.delivered;
  duplicates_.BeginWindow(window.start - kRounding);
  ++windows_;
  auto delivered = DeliverSamples(context_, std::move(files),
                                  {.requests = plan_.requests.size(), .window = windows_},
                                  delivery_, duplicates_, outcome_);
  sink_failed_ = !delivered;
  const std::string packets = ": " + CountedPackets(outcome_.counts.delivered - before) + coverage;
  last_window_ = "window " + ShownTimes(added) + packets;
  last_comment_ = Format("window %llu, ", static_cast<unsigned long long>(windows_)) +
                  FormatTimes(added.start, added.end) + packets;
  system::Log(system::LogLevel::kInfo, "%s", last_comment_.c_str());
  from_ = window.end;
  settled_ = settled_after_;
  return delivered;
}

std::string LiveCapture::LastWindow() const {
  return last_window_.empty() ? "" : last_window_ + "; ";
}

void LiveCapture::TellNext(Duration left, const char* why) const {
  std::string text = windows_ == 0 ? "first window in " + FormatSpan(left) + why + PriceOfWindow()
                                   : LastWindow() + "next in " + FormatSpan(left) + why + "; " +
                                         WithThousands(outcome_.counts.delivered) + " in all";
  const Duration behind = context_.loop.Now() - from_;
  if (windows_ > 0 && behind > 2 * longest_) text += "; " + FormatSpan(behind) + " behind";
  if (limited_ > 1) {
    text += narrower_.empty() ? "; a narrower filter asks for less"
                              : "; filters that ask for less: " + narrower_;
  }
  context_.Tell(text);
}

std::string LiveCapture::PriceOfWindow() const {
  const std::size_t requests = plan_.requests.size();
  if (requests < 2) return "";
  return Format("; %zu requests, %s, for each window", requests,
                FormatSpan(requests_.interval() * static_cast<int>(requests)).c_str()) +
         " (one with " + filter::BoxAsFilter(plan_.requests.front()) + ")";
}

}  // namespace cloudflaredump::capture
