// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/api.h"

#include <glib.h>

#include <algorithm>
#include <ranges>

#include "tests/emulator/authentication.h"

namespace cloudflare_emulator {
namespace {

std::vector<std::string> Split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t start = 1; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// The published ids are 32 characters; every example is hexadecimal.
bool IsId(const std::string& text) {
  constexpr std::size_t kIdLength = 32;
  return text.size() == kIdLength &&
         std::ranges::all_of(text, [](char c) { return g_ascii_isxdigit(c) != FALSE; });
}

Answer NoRoute(const std::string& path) {
  return Failure(400, {{kCodeCouldNotRoute, "Could not route to " + path +
                                                ", perhaps your object identifier is invalid?"},
                       {kCodeNoRoute, "No route for that URI"}});
}

Answer WrongMethod(const std::string& allowed) {
  Answer answer = Failure(405, {{kCodeWrongMethod, "Method not allowed"}});
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

/// A JSON body is all that the schema lists for its requests.
bool IsJsonType(const std::optional<std::string>& content_type) {
  if (!content_type) return false;
  const std::string type = content_type->substr(0, content_type->find(';'));
  const std::size_t end = type.find_last_not_of(' ');
  return g_ascii_strcasecmp(type.substr(0, end + 1).c_str(), kJsonType) == 0;
}

Answer NotJson() {
  return Failure(415, {{kCodeBadBody, "The body must be sent as Content-Type: application/json"}});
}

/// The first site of a city: "sin01" of SIN.
std::string SiteAt(std::string colo) {
  std::ranges::transform(colo, colo.begin(), [](char c) { return g_ascii_tolower(c); });
  return colo + "01";
}

PcapForm WrittenForm(const PacketOptions& options, const Traffic& traffic) {
  PcapForm form = traffic.form();
  form.link_type = options.link_type.value_or(form.link_type);
  form.nanoseconds = options.nanoseconds.value_or(form.nanoseconds);
  form.big_endian = options.big_endian;
  return form;
}

}  // namespace

Api::Api(const Options& options, std::unique_ptr<Traffic> traffic, Places places)
    : options_(options),
      rules_(options.answers.rules, options.answers.headers, options.answers.body),
      traffic_(std::move(traffic)),
      places_(std::move(places)),
      graphql_(options.access, options.analytics, places_, *traffic_),
      form_(WrittenForm(options.packets, *traffic_)),
      life_{.job = Seconds(options.captures.job_seconds / options.captures.speed),
            .result = options.captures.job_result,
            .colo_field = options.captures.colo_field},
      full_{.speed = options.captures.speed,
            .job = life_.job,
            .result = options.captures.job_result,
            .no_packets_result = options.captures.no_packets_result,
            .parts = options.parts,
            .form = form_,
            .seed = options.packets.seed,
            .places = &places_},
      ownership_(options.captures.show_keys) {}

Outcome<std::unique_ptr<Api>> Api::Make(const Options& options, std::unique_ptr<Traffic> traffic,
                                        Time now) {
  auto egress = PacketTest::Compile(options.places.egress);
  if (!egress) return std::unexpected("--egress: " + egress.error());
  Places places(options.places.entries, options.places.drops, *std::move(egress),
                SiteAt(options.captures.trace_colo));
  std::unique_ptr<Api> api(new Api(options, std::move(traffic), std::move(places)));
  for (const std::string& conf : options.captures.registered) {
    auto added = api->ownership_.AddValidated(conf, now);
    if (!added) return std::unexpected(added.error());
  }
  return api;
}

Answer Api::Handle(const Request& request, const Moment& now) {
  Advance(now);
  const AnswerRule* rule = rules_.Find(request.method, request.path);
  if (!rule) return Route(request, now);
  if (rule->carry_out) Route(request, now);
  return rules_.Make(*rule);
}

Answer Api::Route(const Request& request, const Moment& now) {
  const std::string base = kBasePath;
  const bool under_base = request.path.starts_with(base + "/");
  const std::string path = under_base ? request.path.substr(base.size()) : request.path;
  if (path == "/cdn-cgi/trace") return request.method == "GET" ? Trace(now) : WrongMethod("GET");
  if (!under_base) return NoRoute(request.path);
  if (path == "/graphql") {
    if (request.method != "POST") return WrongMethod("POST");
    return IsJsonType(request.content_type) ? graphql_.Ask(request, now) : NotJson();
  }
  if (auto refusal = CheckCredentials(request, options_.access)) return *std::move(refusal);
  const Parts parts = Split(path);
  if (parts.size() < 3 || parts[0] != "accounts" || parts[2] != "pcaps") return NoRoute(path);
  if (parts[1] != options_.access.account) {
    if (!IsId(parts[1])) return NoRoute(path);
    return Failure(403, {{kCodeWrongAccount,
                          "The given account is not valid or is not authorized to access this "
                          "service"}});
  }
  return RoutePcaps(request, {parts.begin() + 3, parts.end()}, now);
}

Answer Api::RoutePcaps(const Request& request, const Parts& rest, const Moment& now) {
  if (!rest.empty() && rest[0] == "ownership") return RouteOwnership(request, rest, now.wall);
  if (!rest.empty()) return RouteCapture(request, rest, now);
  if (request.method == "GET") return List(now.monotonic);
  if (request.method == "POST") return Create(request, now);
  return WrongMethod("GET, POST");
}

Answer Api::RouteOwnership(const Request& request, const Parts& rest, Time now) {
  const std::string& method = request.method;
  if (rest.size() == 1 && method == "GET") return ownership_.List();
  const bool validates = rest.size() == 2 && rest[1] == "validate";
  if (rest.size() == 1 || validates) {
    if (method != "POST") return WrongMethod(validates ? "POST" : "GET, POST");
    if (!IsJsonType(request.content_type)) return NotJson();
    return validates ? ownership_.Validate(request.body, now) : ownership_.Add(request.body, now);
  }
  if (rest.size() != 2 || !IsId(rest[1])) return NoRoute(request.path);
  return method == "DELETE" ? ownership_.Delete(rest[1]) : WrongMethod("DELETE");
}

Answer Api::RouteCapture(const Request& request, const Parts& rest, const Moment& now) {
  const std::string action = rest.size() == 2 ? rest[1] : "";
  const bool stops = action == "stop";
  const bool known = rest.size() == 1 || stops || action == "download";
  if (!known || !IsId(rest[0])) return NoRoute(request.path);
  const std::string method = stops ? "PUT" : "GET";
  if (request.method != method) return WrongMethod(method);
  Capture* capture = captures_.Find(rest[0]);
  if (!capture) return Failure(404, {{kCodeNotFound, "No packet capture has this id"}});
  if (stops) return Stop(*capture, now);
  if (action == "download") return Download(*capture, now.monotonic);
  return Success(capture->Describe(now.monotonic, life_));
}

Answer Api::List(Span now) {
  Json list(json_array());
  std::vector<const Capture*> last = captures_.Last50();
  // The API's order is not published.
  if (options_.captures.newest_first) std::ranges::reverse(last);
  for (const Capture* capture : last) {
    json_array_append_new(list.get(), capture->Describe(now, life_).release());
  }
  return Success(std::move(list));
}

Answer Api::Create(const Request& request, const Moment& now) {
  if (!IsJsonType(request.content_type)) return NotJson();
  auto wanted = ReadCaptureRequest(request.body, now.wall, options_.captures);
  if (!wanted) return Failure(400, {wanted.error()});
  return wanted->full ? CreateFull(*std::move(wanted), now) : CreateSample(*std::move(wanted), now);
}

Span Api::SampleWait(Span now) const {
  const auto last = captures_.LastSample();
  if (!last) return Span(0);
  return *last + Seconds(options_.captures.sample_interval / options_.captures.speed) - now;
}

void Api::Advance(const Moment& now) {
  captures_.Advance(now.monotonic);
  if (options_.captures.others > 0) AskForOther(now);
}

void Api::AskForOther(const Moment& now) {
  const Span every = Seconds(options_.captures.others / options_.captures.speed);
  if (!last_other_) last_other_ = now.monotonic;
  if (now.monotonic - *last_other_ < every || SampleWait(now.monotonic) > Span(0)) return;
  last_other_ = now.monotonic;
  auto wanted = ReadCaptureRequest(
      R"({"type":"simple","system":"magic-transit","time_limit":60,"packet_limit":100})", now.wall,
      options_.captures);
  captures_.Add(*std::move(wanted), now);
}

/// "You can only send one collect request per minute for sample PCAPs." What the API answers to the
/// second is not published; this is its general answer to too many requests.
Answer Api::CreateSample(CaptureRequest request, const Moment& now) {
  if (const Span wait = SampleWait(now.monotonic); wait > Span(0)) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(wait);
    Answer answer = Failure(
        429, {{kCodeThrottled, "You can only send one sample packet capture request per minute"}});
    answer.headers.emplace_back("Retry-After", std::to_string(left.count()));
    return answer;
  }
  const Capture& capture = captures_.Add(std::move(request), now);
  return Success(capture.Describe(now.monotonic, life_));
}

/// "You can only have one running or pending full PCAP at a time." The answer to the second is not
/// published either.
Answer Api::CreateFull(CaptureRequest request, const Moment& now) {
  const OwnedBucket* bucket = ownership_.Find(request.destination_conf);
  if (!bucket) {
    return Failure(400, {{kCodeUnknownBucket,
                          "destination_conf is not a bucket of this account; add it first"}});
  }
  if (bucket->status != "success") {
    return Failure(400, {{kCodeNotValidated, "destination_conf has not been validated"}});
  }
  const auto destination = ParseDestination(bucket->destination_conf);
  if (const Capture* other = captures_.Capturing()) {
    return Failure(409, {{kCodeBusy,
                          "Only one full packet capture can be pending or running at a "
                          "time; it is " +
                              other->id}});
  }
  Capture& capture = captures_.Add(std::move(request), now);
  capture.run =
      std::make_unique<FullRun>(capture.id, capture.request, *destination, full_, *traffic_, now);
  return Success(capture.Describe(now.monotonic, life_));
}

/// "Stop full PCAP." What it does to a sample or to a finished capture is not published; here it is
/// refused.
Answer Api::Stop(Capture& capture, const Moment& now) {
  if (!capture.run) {
    return Failure(400, {{kCodeNotAllowed, "Only full packet captures can be stopped"}});
  }
  if (!capture.run->Stop(now)) {
    return Failure(400, {{kCodeNotAllowed, "The packet capture is over"}});
  }
  return NoContent();
}

Answer Api::Download(const Capture& capture, Span now) {
  if (capture.request.full) {
    return Failure(400, {{kCodeNotAllowed, "Only simple PCAPs can be downloaded"}});
  }
  if (!IsDone(capture.StatusAt(now, life_))) {
    return Failure(400, {{kCodeNotReady, "The packet capture is not ready for download"}});
  }
  Answer answer{.content_type = "application/vnd.tcpdump.pcap", .download = true};
  if (options_.packets.serve_as_is.empty()) {
    SampleWindow window = capture.Window();
    window.known_until = capture.submitted.wall - Seconds(options_.captures.late);
    answer.body = SampleFile(window, options_.packets.window_ends, *traffic_, form_);
    return answer;
  }
  auto bytes = ReadFile(options_.packets.serve_as_is);
  if (!bytes) return Failure(500, {{kCodeNotFound, bytes.error()}});
  answer.body = *std::move(bytes);
  return answer;
}

/// The data center that the client reaches, as every Cloudflare site tells it: one key=value a
/// line.
Answer Api::Trace(const Moment& now) const {
  const char* host = options_.listen.host.c_str();
  const double seconds = std::chrono::duration<double>(now.wall.time_since_epoch()).count();
  return {
      .content_type = "text/plain",
      .body = Text("fl=412f362\nh=%s\nip=%s\nts=%.3f\nvisit_scheme=http\nuag=emulated\ncolo=%s\n"
                   "sliver=none\nhttp=http/1.1\nloc=XX\ntls=off\nsni=off\nwarp=off\n"
                   "gateway=off\nrbi=off\nkex=none\n",
                   host, host, seconds, options_.captures.trace_colo.c_str())};
}

}  // namespace cloudflare_emulator
