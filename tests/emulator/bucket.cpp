// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/bucket.h"

#include <curl/curl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace cloudflare_emulator {
namespace {

/// Where and as whom objects are written.
struct Endpoint {
  std::string url{};
  std::string region{};
  std::string access_key{};
  std::string secret_key{};
  std::string session_token{};
};

std::string Environment(const char* name) {
  const char* value = g_getenv(name);
  return value ? value : "";
}

std::string FirstOf(const std::string& first, const std::string& second) {
  return first.empty() ? second : first;
}

std::string Parameter(const Destination& destination, const char* name) {
  const auto found = destination.parameters.find(name);
  return found == destination.parameters.end() ? "" : found->second;
}

Outcome<Endpoint> FindEndpoint(const Destination& destination) {
  Endpoint endpoint{
      .url = FirstOf(Environment("AWS_ENDPOINT_URL_S3"), Environment("AWS_ENDPOINT_URL")),
      .region = FirstOf(Environment("AWS_REGION"),
                        FirstOf(Parameter(destination, "region"), "us-east-1")),
      .access_key = Parameter(destination, "access-key-id"),
      .secret_key = Parameter(destination, "secret-access-key")};
  if (endpoint.access_key.empty()) {
    endpoint.access_key = Environment("AWS_ACCESS_KEY_ID");
    endpoint.secret_key = Environment("AWS_SECRET_ACCESS_KEY");
    endpoint.session_token = Environment("AWS_SESSION_TOKEN");
  }
  if (endpoint.url.empty() || endpoint.access_key.empty()) {
    return std::unexpected(
        "the emulator's environment has no AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY");
  }
  return endpoint;
}

std::string Escape(const std::string& key) {
  const std::unique_ptr<char, decltype(&g_free)> text(g_uri_escape_string(key.c_str(), "/", FALSE),
                                                      g_free);
  return text.get();
}

struct HandleRelease {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListRelease {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, ListRelease>;

void Add(Headers& headers, const std::string& line) {
  headers.reset(curl_slist_append(headers.release(), line.c_str()));
}

Headers PutHeaders(const Endpoint& endpoint, const std::string& bytes) {
  char* sum = g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  Headers headers;
  Add(headers, "Content-Type: application/octet-stream");
  // S3 demands it, and libcurl before 8.0 does not send it by itself.
  Add(headers, std::string("x-amz-content-sha256: ") + sum);
  if (!endpoint.session_token.empty()) {
    Add(headers, "x-amz-security-token: " + endpoint.session_token);
  }
  g_free(sum);
  return headers;
}

size_t Discard(char*, size_t size, size_t count, void*) {
  return size * count;
}

int GiveUpIf(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(cancelled) ? 1 : 0;
}

Outcome<void> Put(const Endpoint& endpoint, const std::string& path, const std::string& bytes,
                  const std::atomic<bool>& cancelled) {
  const std::unique_ptr<CURL, HandleRelease> curl(curl_easy_init());
  const Headers headers = PutHeaders(endpoint, bytes);
  const std::string url = endpoint.url + Escape(path);
  const std::string signature = "aws:amz:" + endpoint.region + ":s3";
  const std::string user = endpoint.access_key + ":" + endpoint.secret_key;
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, bytes.data());
  curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, signature.c_str());
  curl_easy_setopt(handle, CURLOPT_USERPWD, user.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Discard);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &GiveUpIf);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&cancelled));
  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) return std::unexpected(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300) return std::unexpected(Text("the bucket answered with status %ld", status));
  return {};
}

/// Writes a file under a hidden name and renames it: nobody sees half an object, or one too many.
Outcome<void> WriteFile(const std::string& path, const std::string& bytes) {
  static std::atomic<unsigned> count = 0;
  const std::unique_ptr<char, decltype(&g_free)> folder(g_path_get_dirname(path.c_str()), g_free);
  const std::string hidden = Text("%s/.writing-%d-%u", folder.get(), getpid(), ++count);
  GError* error = nullptr;
  if (g_mkdir_with_parents(folder.get(), 0777) == 0 &&
      g_file_set_contents(hidden.c_str(), bytes.data(), static_cast<gssize>(bytes.size()),
                          &error) &&
      g_rename(hidden.c_str(), path.c_str()) == 0) {
    return {};
  }
  const std::string why = error ? error->message : g_strerror(errno);
  g_clear_error(&error);
  return std::unexpected(why);
}

/// `text` without percent encoding, or as it is if that is broken.
std::string Unescape(const std::string& text) {
  const std::unique_ptr<char, decltype(&g_free)> plain(g_uri_unescape_string(text.c_str(), nullptr),
                                                       g_free);
  return plain ? plain.get() : text;
}

std::map<std::string, std::string> ParseQuery(const std::string& query) {
  std::map<std::string, std::string> parameters;
  for (std::size_t start = 0; start < query.size();) {
    const std::size_t end = std::min(query.find('&', start), query.size());
    const std::string pair = query.substr(start, end - start);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    parameters[pair.substr(0, equals)] =
        equals < pair.size() ? Unescape(pair.substr(equals + 1)) : "";
    start = end + 1;
  }
  return parameters;
}

Outcome<Destination> CheckParameters(Destination destination) {
  if (destination.scheme == "s3" && Parameter(destination, "region").empty()) {
    return std::unexpected("has no region");
  }
  if (destination.scheme == "r2" && Parameter(destination, "account-id").empty()) {
    return std::unexpected("has no account-id");
  }
  return destination;
}

}  // namespace

bool Destination::HasKeys() const {
  return parameters.contains("access-key-id") || parameters.contains("secret-access-key");
}

Outcome<Destination> ParseDestination(const std::string& destination_conf) {
  constexpr char kBucket[] =
      R"((s3|gs|r2)://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:/([^?]*[^?/])?/?)?(?:\?(.*))?)";
  if (const auto folder = MatchWhole("file://(/[^?]*)", destination_conf)) {
    return Destination{.scheme = "file", .directory = folder->at(1)};
  }
  const auto match = MatchWhole(kBucket, destination_conf);
  if (!match) {
    return std::unexpected("is none of s3://, gs://, r2:// with a bucket, and file:///");
  }
  return CheckParameters({.scheme = match->at(1),
                          .bucket = match->at(2),
                          .directory = match->at(3),
                          .parameters = ParseQuery(match->at(4))});
}

std::string WithoutKeys(const std::string& destination_conf) {
  const std::size_t query = destination_conf.find('?');
  if (!destination_conf.starts_with("r2://") || query == std::string::npos) {
    return destination_conf;
  }
  std::string rest = destination_conf.substr(query + 1);
  for (const char* const name : {"access-key-id=", "secret-access-key="}) {
    for (std::size_t at; (at = rest.find(name)) != rest.npos;) {
      const std::size_t next = rest.find('&', at);
      rest.erase(at, next == rest.npos ? next : next + 1 - at);
    }
  }
  if (rest.ends_with('&')) rest.pop_back();
  return destination_conf.substr(0, query + 1) + rest;
}

Outcome<void> WriteObject(const Destination& destination, const std::string& name,
                          const std::string& bytes, const std::atomic<bool>& cancelled) {
  const std::string key = destination.directory.empty() ? name : destination.directory + "/" + name;
  if (destination.scheme == "file") return WriteFile(key, bytes);
  const auto endpoint = FindEndpoint(destination);
  if (!endpoint) return std::unexpected(endpoint.error());
  return Put(*endpoint, "/" + destination.bucket + "/" + key, bytes, cancelled);
}

}  // namespace cloudflare_emulator
