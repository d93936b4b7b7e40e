// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/glib_event_loop.h"

#include <glib-unix.h>

#include <algorithm>
#include <cmath>

namespace cloudflaredump::system {
namespace {

/// Attaches `source` and gives up our reference: the context owns it from here.
EventLoop::Id Attach(GSource* source, GMainContext* context) {
  const EventLoop::Id id = g_source_attach(source, context);
  g_source_unref(source);
  return id;
}

gboolean RunTimer(gpointer data) {
  (*static_cast<std::function<void()>*>(data))();
  return G_SOURCE_REMOVE;
}

gboolean RunWatch(gint, GIOCondition condition, gpointer data) {
  (*static_cast<std::function<void(short)>*>(data))(static_cast<short>(condition));
  return G_SOURCE_CONTINUE;
}

template <class Function>
void Delete(gpointer data) {
  delete static_cast<Function*>(data);
}

}  // namespace

GlibEventLoop::GlibEventLoop(double speed)
    : context_(g_main_context_new()), speed_(speed), start_(g_get_monotonic_time()) {}

GlibEventLoop::~GlibEventLoop() {
  g_main_context_unref(context_);
}

WallTime GlibEventLoop::Now() const {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::system_clock::now().time_since_epoch()));
}

SteadyTime GlibEventLoop::Steady() const {
  const double micros = static_cast<double>(g_get_monotonic_time() - start_) * speed_;
  return SteadyTime(std::chrono::microseconds(static_cast<gint64>(micros)));
}

bool GlibEventLoop::RunUntil(const std::function<bool()>& done, SteadyTime deadline) {
  if (done()) return true;
  bool late = Steady() >= deadline;
  const Id timer = late ? 0 : CallAt(deadline, [&late] { late = true; });
  bool ended = false;
  // A deadline that has passed still lets what is ready happen once, so that a loop of short
  // waits cannot starve its watches.
  do {
    g_main_context_iteration(context_, !late);
    ended = done();
  } while (!ended && !late);
  Cancel(timer);
  return ended;
}

EventLoop::Id GlibEventLoop::CallAt(SteadyTime time, std::function<void()> callback) {
  const double wait = std::chrono::duration<double, std::milli>(time - Steady()).count() / speed_;
  constexpr double kLongest = 1e9;  // 11 days; a guint holds it
  const auto millis = static_cast<guint>(std::clamp(std::ceil(wait), 0.0, kLongest));
  GSource* const source = g_timeout_source_new(millis);
  g_source_set_callback(source, RunTimer, new std::function<void()>(std::move(callback)),
                        Delete<std::function<void()>>);
  return Attach(source, context_);
}

EventLoop::Id GlibEventLoop::Watch(int fd, short events, std::function<void(short)> callback) {
  // POLLERR, POLLHUP and POLLNVAL are reported whether asked for or not, as in poll(2).
  const auto condition = static_cast<GIOCondition>(events | G_IO_ERR | G_IO_HUP | G_IO_NVAL);
  GSource* const source = g_unix_fd_source_new(fd, condition);
  auto* const data = new std::function<void(short)>(std::move(callback));
  // g_unix_fd_source calls a GUnixFDSourceFunc; GLib's own macro for the cast is G_SOURCE_FUNC.
  g_source_set_callback(source, G_SOURCE_FUNC(RunWatch), data, Delete<std::function<void(short)>>);
  return Attach(source, context_);
}

void GlibEventLoop::Cancel(Id id) {
  if (id == 0) return;
  GSource* const source = g_main_context_find_source_by_id(context_, id);
  if (source != nullptr) g_source_destroy(source);
}

}  // namespace cloudflaredump::system
