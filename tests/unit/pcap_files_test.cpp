// SPDX-License-Identifier: GPL-2.0-or-later
// Real captures, and Wireshark's own reading of what we write. Skipped, and said so, where the
// captures (CLOUDFLAREDUMP_TEST_PCAPS, a folder of *.pcap) or tshark are not at hand.
#include <glib.h>
#include <glib/gstdio.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "common/text.h"
#include "extcap/pcap/file_reader.h"
#include "extcap/pcap/pcapng_writer.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::pcap {
namespace {

namespace fs = std::filesystem;

/// A private folder, gone with its contents at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char* made = g_dir_make_tmp("cloudflaredump-test-XXXXXX", nullptr);
    assert_non_null(made);
    path_ = made;
    g_free(made);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::vector<fs::path> RealCaptures() {
  const char* folder = g_getenv("CLOUDFLAREDUMP_TEST_PCAPS");
  std::vector<fs::path> paths;
  if (folder == nullptr) return paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".pcap") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Bytes ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return ToBytes(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// What `argv` prints; nothing if the program is not installed. It must end with status 0.
std::optional<std::string> Run(std::vector<std::string> argv) {
  char* found = g_find_program_in_path(argv[0].c_str());
  if (found == nullptr) return std::nullopt;
  g_free(found);
  std::vector<char*> raw;
  raw.reserve(argv.size() + 1);
  for (std::string& arg : argv) raw.push_back(arg.data());
  raw.push_back(nullptr);
  char* out = nullptr;
  char* errors = nullptr;
  int status = -1;
  assert_true(g_spawn_sync(nullptr, raw.data(), nullptr, G_SPAWN_SEARCH_PATH, nullptr, nullptr,
                           &out, &errors, &status, nullptr));
  std::string text = out;
  if (status != 0) fail_msg("%s: %s", argv[0].c_str(), errors);
  g_free(out);
  g_free(errors);
  return text;
}

struct Reading {
  PcapHeader header;
  std::vector<Packet> packets;
};

Reading ReadWhole(const Bytes& file) {
  FileReader reader(std::make_unique<MemoryFile>(ToText(file)), file.size());
  Reading reading;
  std::vector<std::byte> unused;
  for (; reader.FindNext(); reader.Drop()) {
    const PacketView view = reader.Load(unused).value();
    reading.packets.push_back({.ticks = view.ticks,
                               .original_length = view.original_length,
                               .bytes = {view.bytes.begin(), view.bytes.end()}});
  }
  assert_false(reader.damage().has_value());
  reading.header = reader.header().value();
  return reading;
}

void WritePcapng(const fs::path& path, const Reading& reading) {
  std::string out;
  AppendSectionHeader(out, "cloudflaredump test");
  AppendInterface(out, {.link_type = reading.header.link_type,
                        .precision = reading.header.precision,
                        .name = "cloudflare-sample",
                        .description = "A description",
                        .filter = "udp port 53"});
  for (const Packet& packet : reading.packets) assert_true(AppendPacket(out, 0, packet));
  AppendStatistics(out, 0, reading.header.precision, {.received = reading.packets.size()});
  std::ofstream(path, std::ios::binary).write(out.data(), static_cast<std::streamsize>(out.size()));
}

std::vector<std::string> Fields(const fs::path& path) {
  return {"tshark", "-n",
          "-r",     path.string(),
          "-T",     "fields",
          "-e",     "frame.time_epoch",
          "-e",     "frame.cap_len",
          "-e",     "frame.len",
          "-e",     "frame.encap_type"};
}

std::string SortedLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  std::string sorted;
  for (const std::string& line : lines) sorted += line + "\n";
  return sorted;
}

void RealCapturesAreReadToTheirEnd(void**) {
  const auto paths = RealCaptures();
  if (paths.empty()) {
    print_message("no real captures: set CLOUDFLAREDUMP_TEST_PCAPS\n");
    skip();
  }
  for (const fs::path& path : paths) {
    const Bytes file = ReadFile(path);
    const Reading reading = ReadWhole(file);
    std::size_t size = kFileHeaderSize;
    for (const Packet& packet : reading.packets) size += kRecordHeaderSize + packet.bytes.size();
    assert_int_equal(size, file.size());
    assert_false(reading.packets.empty());
  }
}

void WiresharkReadsInOursWhatItReadsInTheOriginal(void**) {
  const TemporaryFolder folder;
  std::vector<fs::path> paths = RealCaptures();
  std::erase_if(paths, [](const fs::path& path) {
    // Wireshark does not carry the invalid fraction over; the test after this one has it.
    return path.filename() == "tcpdump-timestamp_invalid_nano.pcap";
  });
  PcapBytes made({.magic = 0xa1b23c4d, .big_endian = true, .link_type = 101});
  made.Record(1'790'000'000, 123'456'789, std::string("\x45\0\0\x14", 4), 60).Record(1, 2, "x", 3);
  std::ofstream(folder / "made.pcap", std::ios::binary) << ToText(made.bytes());
  paths.push_back(folder / "made.pcap");
  for (const fs::path& path : paths) {
    const fs::path ours = folder / "ours.pcapng";
    WritePcapng(ours, ReadWhole(ReadFile(path)));
    const auto read = Run(Fields(ours));
    if (!read) {
      print_message("tshark is not installed\n");
      skip();
    }
    // Packets that the file has slightly out of order are in order in ours.
    AssertText(SortedLines(*read), SortedLines(Run(Fields(path)).value()));
  }
}

void WiresharkReadsTheCarriedFraction(void**) {
  const TemporaryFolder folder;
  PcapBytes file({.magic = 0xa1b23c4d, .link_type = 113});
  file.Record(1'418'149'465, 1'000'000'255, "0123456789abcdef");
  WritePcapng(folder / "ours.pcapng", ReadWhole(file.bytes()));
  const auto read = Run(Fields(folder / "ours.pcapng"));
  if (!read) {
    print_message("tshark is not installed\n");
    skip();
  }
  AssertContains(*read, "1418149466.000000255\t16\t16");
}

void WiresharkReadsNamesFiltersAndComments(void**) {
  const TemporaryFolder folder;
  const fs::path path = folder / "ours.pcapng";
  std::string out;
  AppendSectionHeader(out, "cloudflaredump test");
  AppendInterface(out, {.link_type = 101,
                        .precision = TimePrecision::kNanoseconds,
                        .name = "cloudflare-ORD",
                        .description = "Full capture — ORD",
                        .filter = "tcp port 443"});
  AppendPacket(out, 0, Packet{1'790'000'000'000'000'001, 3, ToBytes("abc")}, {"one", "two"});
  AppendPacket(out, 0, Packet{1'790'000'000'000'000'002, 300'000, Bytes(kLargestPacket)});
  AppendStatistics(out, 0, TimePrecision::kNanoseconds,
                   {.received = 12, .delivered = 2, .comment = "Said at the end."});
  std::ofstream(path, std::ios::binary) << out;
  const auto fields =
      Run({"tshark", "-r", path.string(), "-c1", "-T", "fields", "-e", "frame.interface_name", "-e",
           "frame.interface_description", "-e", "frame.comment"});
  const auto about = Run({"capinfos", path.string()});
  if (!fields || !about) {
    print_message("tshark or capinfos is not installed\n");
    skip();
  }
  AssertText(*fields, "cloudflare-ORD\tFull capture — ORD\tone,two\n");
  AssertContains(*about, "cloudflaredump test");
  AssertContains(*about, "Filter string = tcp port 443");
  AssertContains(*about, "Capture length = 262143");
  AssertContains(*about, "Number of packets = 2");
}

}  // namespace
}  // namespace cloudflaredump::pcap

int main() {
  using namespace cloudflaredump::pcap;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RealCapturesAreReadToTheirEnd),
      cmocka_unit_test(WiresharkReadsInOursWhatItReadsInTheOriginal),
      cmocka_unit_test(WiresharkReadsTheCarriedFraction),
      cmocka_unit_test(WiresharkReadsNamesFiltersAndComments),
  };
  return cmocka_run_group_tests_name("pcap_files", tests, nullptr, nullptr);
}
