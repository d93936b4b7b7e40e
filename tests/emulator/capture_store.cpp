// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/capture_store.h"

#include <glib.h>

#include <algorithm>

namespace cloudflare_emulator {
namespace {

/// Sets `key` of `to` to the value that the request had under it, if it had one.
void Echo(const CaptureRequest& request, const char* key, json_t* to) {
  json_t* value = json_object_get(request.body.get(), key);
  if (value) json_object_set(to, key, value);
}

/// What only full captures have. The documentation's full answer also shows packet_limit, which the
/// schema lacks.
void DescribeFull(const Capture& capture, ColoField colo_field, json_t* json) {
  const CaptureRequest& request = capture.request;
  Echo(request, "packet_limit", json);
  Echo(request, "byte_limit", json);
  json_t* colo = json_object_get(request.body.get(), "colo_name");
  if (!colo || (colo_field == ColoField::kColo && json_object_get(request.body.get(), "colo"))) {
    colo = json_object_get(request.body.get(), "colo");
  }
  if (colo_field != ColoField::kColo) json_object_set(json, "colo_name", colo);
  if (colo_field != ColoField::kColoName) json_object_set(json, "colo", colo);
  Echo(request, "destination_conf", json);
  const FullRun& run = *capture.run;
  Set(json, "packets_captured", Json(json_integer(static_cast<json_int_t>(run.packets()))));
  if (run.stop_requested()) {
    Set(json, "stop_requested", JsonText(FormatRfc3339(*run.stop_requested())));
  }
  if (!run.error_message().empty()) Set(json, "error_message", JsonText(run.error_message()));
}

}  // namespace

std::string Capture::StatusAt(Span now, const LifeCycle& life) const {
  if (run) return run->status();
  const bool over = now - submitted.monotonic >= life.job && life.result != "never";
  return over ? life.result : "pending";
}

SampleWindow Capture::Window() const {
  return {.end = request.offset_time.value_or(submitted.wall),
          .length = Seconds(request.time_limit),
          .filter = request.filter,
          .packet_limit = static_cast<std::size_t>(request.packet_limit.value_or(0))};
}

Json Capture::Describe(Span now, const LifeCycle& life) const {
  Json json(json_object());
  Set(json.get(), "id", JsonText(id));
  Set(json.get(), "submitted", JsonText(FormatRfc3339(submitted.wall)));
  Set(json.get(), "filter_v1", Json(json_object()));
  Echo(request, "filter_v1", json.get());
  Echo(request, "time_limit", json.get());
  Set(json.get(), "status", JsonText(StatusAt(now, life)));
  Echo(request, "type", json.get());
  Echo(request, "system", json.get());
  if (run) {
    DescribeFull(*this, life.colo_field, json.get());
  } else {
    // In no schema, but in the documentation's examples of samples, where it is always 0.
    Set(json.get(), "packets_remaining", Json(json_integer(0)));
    Echo(request, "offset_time", json.get());
  }
  return json;
}

bool IsDone(const std::string& status) {
  return status == "success" || status == "complete";
}

Capture& CaptureStore::Add(CaptureRequest request, const Moment& now) {
  captures_.push_back({.id = NewId(), .request = std::move(request), .submitted = now});
  return captures_.back();
}

Capture* CaptureStore::Find(const std::string& id) {
  const auto found = std::ranges::find(captures_, id, &Capture::id);
  return found == captures_.end() ? nullptr : &*found;
}

std::optional<Span> CaptureStore::LastSample() const {
  for (auto capture = captures_.rbegin(); capture != captures_.rend(); ++capture) {
    if (!capture->request.full) return capture->submitted.monotonic;
  }
  return std::nullopt;
}

const Capture* CaptureStore::Capturing() const {
  const auto found = std::ranges::find_if(
      captures_, [](const Capture& capture) { return capture.run && capture.run->IsCapturing(); });
  return found == captures_.end() ? nullptr : &*found;
}

void CaptureStore::Advance(Span now) {
  for (Capture& capture : captures_) {
    if (capture.run) capture.run->Advance(now);
  }
}

std::vector<const Capture*> CaptureStore::Last50() const {
  constexpr std::size_t kMost = 50;
  std::vector<const Capture*> last;
  const std::size_t skip = captures_.size() - std::min(captures_.size(), kMost);
  for (std::size_t i = skip; i < captures_.size(); ++i) last.push_back(&captures_[i]);
  return last;
}

std::string NewId() {
  char* uuid = g_uuid_string_random();
  std::string id = uuid;
  g_free(uuid);
  std::erase(id, '-');
  return id;
}

}  // namespace cloudflare_emulator
