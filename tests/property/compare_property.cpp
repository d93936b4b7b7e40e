// SPDX-License-Identifier: GPL-2.0-or-later
// Made pairs of captures with known truth, each as a full capture and as a sample:
//   compare_property [SEEDS [CASE]]
// checks every case with that many seeds, packet by packet.
//   compare_property random RUNS
// counts wrong causes where losses are random, and how often the interval holds the true loss.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "extcap/compare/comparison.h"
#include "extcap/compare/verdict_text.h"
#include "tests/property/compare_scenes.h"

namespace {

using namespace compare_traffic;
using cloudflaredump::compare::Comparison;
using cloudflaredump::compare::HasArrived;
using cloudflaredump::compare::Options;

void WriteText(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  std::fwrite(text.data(), text.size(), 1, file);
  std::fclose(file);
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/compare-property-XXXXXX";
    if (mkdtemp(name) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Writes the scene and compares; `chosen` are the places of Cloudflare's records in scene.sent.
Comparison Run(const Folder& folder, const Scene& scene, bool sample, Random& random,
               std::vector<std::size_t>& chosen) {
  Options options{.cloudflare_file = folder / "cloudflare.pcap"};
  if (sample) {
    const auto records = SampleOf(scene.sent, scene.every, random, chosen);
    // As the API gives it, or as one of our captures.
    if (scene.by_packet && random() % 2 == 0) {
      WritePcap(options.cloudflare_file.path, records, kRawLink);
    } else {
      cloudflaredump::CaptureDescription description;
      description.type = "simple";
      const std::string text = cloudflaredump::WriteCaptureDescription(description);
      WriteText(options.cloudflare_file.path,
                Pcapng({{.link_type = kRawLink, .description = text}}, records));
    }
  } else {
    std::vector<Record> records;
    for (std::size_t i = 0; i < scene.sent.size(); ++i) {
      chosen.push_back(i);
      records.push_back({.time = scene.sent[i].time, .bytes = scene.sent[i].ip});
    }
    WritePcap(options.cloudflare_file.path, records, kRawLink);
  }
  for (std::size_t i = 0; i < scene.locals.size(); ++i) {
    options.local_files.push_back(folder / ("local" + std::to_string(i)));
    if (scene.pcapng.empty()) {
      WritePcap(options.local_files.back().path, scene.locals[i], scene.link_type, scene.snap);
      continue;
    }
    WriteText(options.local_files.back().path, scene.pcapng);
  }
  auto comparison = Compare(options, nullptr);
  if (!comparison) {
    std::printf("%s\n", SentenceOf(comparison.error()).c_str());
    std::exit(1);
  }
  return *std::move(comparison);
}

/// What is wrong with the outcome; empty if nothing is.
std::string Judge(const Scene& scene, const Comparison& c, const std::vector<std::size_t>& chosen,
                  bool sample) {
  std::string wrong;
  std::uint64_t arrived = 0;
  for (const std::size_t i : chosen) arrived += scene.sent[i].arrives ? 1 : 0;
  const auto expect = [&wrong](const char* what, double got, double want, double within) {
    if (got >= want - within && got <= want + within) return;
    char text[200];
    std::snprintf(text, sizeof(text), "%s is %g, not %g; ", what, got, want);
    wrong += text;
  };
  if (c.cloud.sample() != sample) wrong += "sample or not; ";
  if (!scene.comparable) {
    if (c.not_comparable.empty()) wrong += "something was compared; ";
    expect("missing", static_cast<double>(c.missing), 0, 0);
  } else if (scene.first_kind == "other_traffic") {
    expect("arrived", static_cast<double>(c.arrived), 0, 0);
  } else {
    // What repeats within the spread of delays is a matter of chance, in a sample.
    const double within = scene.by_packet || !sample ? 0 : 0.01 * static_cast<double>(arrived) + 1;
    expect("arrived", static_cast<double>(c.arrived), static_cast<double>(arrived), within);
    expect("missing", static_cast<double>(c.missing), static_cast<double>(chosen.size() - arrived),
           within);
    expect("offset", static_cast<double>(c.locals[0].clock.offset) / 1e9, scene.offset, 0.003);
    expect("drift", c.locals[0].clock.drift * 1e6, scene.drift, 12);
  }
  if (scene.by_packet && scene.comparable && scene.first_kind != "other_traffic") {
    std::size_t differ = 0;
    for (std::size_t record = 0; record < chosen.size(); ++record) {
      const std::uint32_t packet = c.cloud.packet_of_record()[record];
      if (packet == cloudflaredump::compare::kNone ||
          HasArrived(c.results[packet].fate) != scene.sent[chosen[record]].arrives) {
        ++differ;
      }
    }
    expect("packets with a wrong fate", static_cast<double>(differ), 0, 0);
  }
  if (scene.check_duplicates && !sample) {
    expect("duplicates", static_cast<double>(c.duplicates), static_cast<double>(scene.duplicates),
           0);
  }
  if (scene.merged && c.merged == 0) wrong += "nothing was merged; ";
  std::vector<cloudflaredump::compare::Finding> causes = c.findings;
  if (scene.own_loss) {
    const auto own =
        std::ranges::find(causes, "router_drop", &cloudflaredump::compare::Finding::kind);
    if (own == causes.end()) {
      wrong += "no router_drop; ";
    } else {
      causes.erase(own);
    }
  }
  const std::string kind = causes.empty() ? "" : causes[0].kind;
  if (kind != scene.first_kind) {
    wrong += "the first cause is \"" + kind + "\", not \"" + scene.first_kind + "\"; ";
  } else if (!scene.value.empty() && causes[0].value != scene.value) {
    wrong += "it names " + causes[0].value + ", not " + scene.value + "; ";
  }
  if (scene.longest != 0 && kind == "size") {
    if (*causes[0].threshold > scene.longest || *causes[0].threshold < scene.shortest) {
      wrong += "the limit is " + std::to_string(*causes[0].threshold) + "; ";
    }
  }
  return wrong;
}

int CheckCases(int seeds, const char* only) {
  const Folder folder;
  int bad = 0;
  for (const Case& made : Cases()) {
    if (only != nullptr && std::strcmp(only, made.name) != 0) continue;
    for (const bool sample : {false, true}) {
      int failed = 0;
      for (int seed = 1; seed <= seeds; ++seed) {
        Random random(static_cast<std::uint64_t>(seed));
        const Scene scene = made.make(random);
        std::vector<std::size_t> chosen;
        const Comparison c = Run(folder, scene, sample, random, chosen);
        const std::string wrong = Judge(scene, c, chosen, sample);
        if (wrong.empty()) continue;
        ++failed;
        if (failed <= 2) {
          std::printf("%s%s, seed %d: %s\n", made.name, sample ? " (sample)" : "", seed,
                      wrong.c_str());
          if (only != nullptr) std::printf("%s\n", VerdictText(c).c_str());
        }
      }
      std::printf("%-20s %-6s %d of %d\n", made.name, sample ? "sample" : "full", seeds - failed,
                  seeds);
      bad += failed;
    }
  }
  return bad;
}

int CheckRandom(int runs) {
  const Folder folder;
  int wrong_causes = 0;
  int held = 0;
  int samples = 0;
  double widest = 0;
  for (int run = 0; run < runs; ++run) {
    Random random(static_cast<std::uint64_t>(run) + 1000);
    const double loss =
        std::vector<double>{0.002, 0.01, 0.05, 0.2, 0.5}[static_cast<std::size_t>(run % 5)];
    const bool sample = run % 2 == 0;
    const Tunnel tunnel;
    const Scene scene = Simple(random, {.packets = 1500, .loss = loss}, &tunnel);
    std::vector<std::size_t> chosen;
    // The interval is judged on samples of the same traffic, whatever the run is for causes.
    const Comparison c = Run(folder, scene, sample, random, chosen);
    wrong_causes += c.findings.empty() ? 0 : 1;
    if (!c.findings.empty()) std::printf("run %d: %s\n", run, c.findings[0].text.c_str());
    std::vector<std::size_t> taken;
    const Comparison s = sample ? c : Run(folder, scene, true, random, taken);
    ++samples;
    held += s.loss.low <= loss && loss <= s.loss.high ? 1 : 0;
    const auto exact = cloudflaredump::compare::BinomialInterval(s.missing, s.compared);
    widest = std::max(widest, (s.loss.high - s.loss.low) / (exact.high - exact.low));
  }
  std::printf(
      "%d of %d runs with random loss name a cause; the interval held the true loss in %d of "
      "%d; at most %.3f times the exact one's width\n",
      wrong_causes, runs, held, samples, widest);
  return wrong_causes * 100 > 4 * runs || held * 100 < 93 * samples || widest > 1.2 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "random") == 0) {
    return CheckRandom(argc > 2 ? std::atoi(argv[2]) : 500);
  }
  return CheckCases(argc > 1 ? std::atoi(argv[1]) : 30, argc > 2 ? argv[2] : nullptr) == 0 ? 0 : 1;
}
