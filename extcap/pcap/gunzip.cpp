// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "common/text.h"

namespace cloudflaredump::pcap {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kGzipHeader = 10;

using Take = std::function<Result<void>(std::span<const std::byte>)>;

/// zlib's state, freed in the end.
struct Inflater {
  Inflater() {
    constexpr int kGzipOnly = 15 + 16;
    good = inflateInit2(&stream, kGzipOnly) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }

  z_stream stream = {};
  bool good = false;
};

/// Hands the unpacked bytes of `file` to `take`, at most `most`. An Error says what is lost.
/// `take` is called at least once for each 64 KiB.
Result<void> Unpack(FileBytes& file, std::uint64_t most, const Take& take) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  if (!inflater.good) return Fail("there is not enough memory to unpack it");
  std::vector<std::byte> in(kPiece);
  std::vector<std::byte> out(kPiece);
  std::uint64_t offset = 0;
  int state = Z_OK;
  for (;;) {
    if (stream.avail_in == 0 && offset < file.size()) {
      const std::size_t size = std::min<std::uint64_t>(kPiece, file.size() - offset);
      if (auto read = file.Read(offset, std::span(in).first(size)); !read) return read;
      offset += size;
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(size);
    }
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      inflateReset(&stream);  // the next member
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(kPiece);
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t size = kPiece - stream.avail_out;
    const std::size_t fits = std::min<std::uint64_t>(size, most);
    if (auto taken = take(std::span(out).first(fits)); !taken) return taken;
    if (fits < size) return Fail("the gzip file unpacks to more than a capture can have");
    most -= fits;
    if (state == Z_STREAM_END) continue;
    if (state == Z_BUF_ERROR && offset == file.size()) return Fail("the gzip file is cut");
    if (state != Z_OK && state != Z_BUF_ERROR) return Fail("the gzip file is damaged");
  }
}

}  // namespace

bool IsGzip(FileBytes& file) {
  if (file.size() < kGzipHeader) return false;
  std::byte magic[2];
  return file.Read(0, magic) && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
}

Result<std::unique_ptr<FileBytes>> Gunzip(FileBytes& file, FileStore& store, std::uint64_t most,
                                          const std::function<bool()>& stop) {
  const auto may_go_on = [&] {
    return stop() ? Fail("it was not unpacked to its end when the time to stop had come")
                  : Result<void>();
  };
  // Once to know how much room it takes, once to keep it.
  std::uint64_t size = 0;
  const Result<void> whole = Unpack(file, most, [&](std::span<const std::byte> bytes) {
    size += bytes.size();
    return may_go_on();
  });
  auto arrival = store.Begin(size);
  if (!arrival) return Failure(arrival);
  std::optional<Error> kept;
  [[maybe_unused]] const Result<void> again =
      Unpack(file, size, [&](std::span<const std::byte> bytes) {
        auto taken = may_go_on();
        if (taken) taken = arrival->Append(bytes);
        if (!taken) kept = taken.error();
        return taken;
      });
  std::unique_ptr<FileBytes> unpacked = std::move(*arrival).Finish();
  if (file.loss() != nullptr) {
    unpacked->SetLoss(*file.loss());
  } else if (!whole) {
    unpacked->SetLoss(whole.error());
  } else if (kept) {
    unpacked->SetLoss(*kept);
  }
  return unpacked;
}

}  // namespace cloudflaredump::pcap
