// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/pcap_file.h"

#include <pcap/pcap.h>

#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cloudflare_emulator {
namespace {

constexpr std::uint32_t kMicrosecondMagic = 0xa1b2c3d4;
constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;

/// A type and not the function itself: newer C libraries give fclose attributes that a template
/// argument cannot have.
struct Close {
  void operator()(FILE* file) const { fclose(file); }
};

/// The precision of a classic file is its magic number's; libpcap does not tell it.
bool HasNanoseconds(const std::string& path) {
  std::uint32_t magic = 0;
  const std::unique_ptr<FILE, Close> file(fopen(path.c_str(), "rb"));
  if (!file || fread(&magic, sizeof magic, 1, file.get()) != 1) return false;
  return magic == kNanosecondMagic || __builtin_bswap32(magic) == kNanosecondMagic;
}

/// libpcap's DLT_RAW is 12 on Linux; in files it is LINKTYPE_RAW. The others here are alike.
std::uint32_t LinkTypeOf(pcap_t* pcap) {
  const int dlt = pcap_datalink(pcap);
  return dlt == DLT_RAW ? static_cast<std::uint32_t>(kRaw) : static_cast<std::uint32_t>(dlt);
}

void Put(std::string& out, std::uint32_t value, int size, bool big_endian) {
  for (int i = 0; i < size; ++i) {
    const int shift = 8 * (big_endian ? size - 1 - i : i);
    out += static_cast<char>(value >> shift);
  }
}

/// NFLOG's attribute headers are in the byte order of the file (LINKTYPE_NFLOG).
void SwapNflogHeaders(char* bytes, std::size_t size) {
  std::size_t at = 4;
  while (at + 4 <= size) {
    std::uint16_t length = 0;
    std::memcpy(&length, bytes + at, sizeof length);
    std::swap(bytes[at], bytes[at + 1]);
    std::swap(bytes[at + 2], bytes[at + 3]);
    if (length < 4) return;
    at += (length + 3U) & ~3U;
  }
}

void PutRecord(std::string& out, const PcapForm& form, const Record& record) {
  const Span since = record.time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = static_cast<std::uint32_t>((since - seconds).count());
  Put(out, static_cast<std::uint32_t>(seconds.count()), 4, form.big_endian);
  Put(out, form.nanoseconds ? rest : rest / 1000, 4, form.big_endian);
  Put(out, static_cast<std::uint32_t>(record.bytes.size()), 4, form.big_endian);
  Put(out, record.original_length, 4, form.big_endian);
  const std::size_t at = out.size();
  out.append(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  const bool other_order = form.big_endian != (std::endian::native == std::endian::big);
  if (form.link_type == kNflog && other_order) {
    SwapNflogHeaders(out.data() + at, record.bytes.size());
  }
}

}  // namespace

Outcome<PcapContent> ReadPcapFile(const std::string& path) {
  char problem[PCAP_ERRBUF_SIZE] = "";
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> pcap(
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, problem),
      pcap_close);
  if (!pcap) return std::unexpected(Text("%s is not a capture file: %s.", path.c_str(), problem));
  PcapContent content{.link_type = LinkTypeOf(pcap.get()), .nanoseconds = HasNanoseconds(path)};
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(pcap.get(), &header, &bytes)) == 1) {
    const Time time(std::chrono::seconds(header->ts.tv_sec) + Span(header->ts.tv_usec));
    content.records.push_back({.time = time,
                               .link_type = content.link_type,
                               .original_length = header->len,
                               .bytes = {bytes, bytes + header->caplen}});
  }
  if (result == PCAP_ERROR) {
    return std::unexpected(Text("%s is damaged: %s.", path.c_str(), pcap_geterr(pcap.get())));
  }
  return content;
}

std::string WritePcap(const PcapForm& form, const std::vector<Record>& records) {
  std::string out;
  Put(out, form.nanoseconds ? kNanosecondMagic : kMicrosecondMagic, 4, form.big_endian);
  Put(out, 2, 2, form.big_endian);
  Put(out, 4, 2, form.big_endian);
  Put(out, 0, 4, form.big_endian);
  Put(out, 0, 4, form.big_endian);
  Put(out, form.snap_length, 4, form.big_endian);
  Put(out, form.link_type, 4, form.big_endian);
  for (const Record& record : records) PutRecord(out, form, record);
  return out;
}

}  // namespace cloudflare_emulator
