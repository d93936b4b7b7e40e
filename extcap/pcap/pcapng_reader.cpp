// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcapng_reader.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "common/text.h"
#include "extcap/pcap/pcap_format.h"
#include "extcap/pcap/pcapng_format.h"

namespace cloudflaredump::pcap {
namespace {

/// Blocks that we look into are at most this long; others are skipped, whatever their length.
constexpr std::size_t kLargestReadBlock = std::size_t{16} << 20;
constexpr std::size_t kWindow = std::size_t{1} << 20;
constexpr std::size_t kMostInterfaces = 65536;
/// The texts of all interfaces of a file; further ones are left out.
constexpr std::size_t kMostTexts = std::size_t{64} << 20;
/// Times beyond are cut, so that differences of two never overflow.
constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max() / 4;

using Bytes = std::span<const std::byte>;

/// A file's bytes, out of gzip where they are in it: zlib passes others through.
class Input {
 public:
  explicit Input(int fd) : file_(gzdopen(fd, "rb")) {
    if (file_ == nullptr) {
      close(fd);
    } else {
      gzbuffer(file_, 1 << 18);
    }
    buffer_.resize(kWindow);
  }
  ~Input() {
    if (file_ != nullptr) gzclose(file_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// The next bytes, at least `size` unless the input ends before; kept until the next call.
  Bytes Peek(std::size_t size) {
    if (end_ - begin_ < size) Fill(size);
    return {buffer_.data() + begin_, end_ - begin_};
  }
  void Drop(std::size_t size) {
    begin_ += size;
    offset_ += size;
  }
  /// Drops bytes that need not be in memory; false if the input ends before.
  bool Skip(std::uint64_t size) {
    while (size > 0) {
      const std::size_t have = Peek(1).size();
      if (have == 0) return false;
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(have, size));
      Drop(step);
      size -= step;
    }
    return true;
  }
  std::uint64_t offset() const { return offset_; }
  /// What went wrong when reading; empty for an ordinary end.
  const std::string& fault() const { return fault_; }

 private:
  void Fill(std::size_t size) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (buffer_.size() < size) buffer_.resize(size);
    while (end_ < size && !ended_) {
      const int got = file_ == nullptr ? -1
                                       : gzread(file_, buffer_.data() + end_,
                                                static_cast<unsigned>(buffer_.size() - end_));
      NoteFault(got < 0);
      if (got > 0) {
        end_ += static_cast<std::size_t>(got);
      } else {
        ended_ = true;
      }
    }
  }

  /// Asked after each read: zlib 1.3.2 forgets with the next one that the data ended too early.
  void NoteFault(bool failed) {
    int code = Z_OK;
    const char* const why = file_ == nullptr ? "out of memory" : gzerror(file_, &code);
    if (!fault_.empty()) return;
    if (code == Z_ERRNO) {
      fault_ = std::strerror(errno);
    } else if (code == Z_BUF_ERROR) {
      fault_ = "the gzip data end too early";
    } else if (failed) {
      fault_ = CleanLine(why, 100);
    }
  }

  gzFile file_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
  std::string fault_;
};

std::int64_t ToNanoseconds(std::uint64_t ticks, const FileInterface& interface) {
  __extension__ using Wide = __int128;
  Wide time = 0;
  if (interface.ticks_per_second == 1'000'000'000) {
    time = ticks;
  } else if (interface.ticks_per_second == 1'000'000) {
    time = Wide{ticks} * 1000;
  } else {
    time = Wide{ticks} * 1'000'000'000 / interface.ticks_per_second;
  }
  time += Wide{interface.offset_seconds} * 1'000'000'000;
  return static_cast<std::int64_t>(std::clamp<Wide>(time, -kLatest, kLatest));
}

/// Of if_tsresol; 0 if the number does not fit.
std::uint64_t TicksPerSecond(std::uint8_t resolution) {
  const unsigned exponent = resolution & 0x7fU;
  if ((resolution & 0x80U) != 0) return exponent > 62 ? 0 : std::uint64_t{1} << exponent;
  if (exponent > 18) return 0;
  std::uint64_t ticks = 1;
  for (unsigned i = 0; i < exponent; ++i) ticks *= 10;
  return ticks;
}

}  // namespace

class CaptureReader::Impl {
 public:
  Impl(int fd, Comments comments) : input_(fd), comments_(comments == Comments::kRead) {}

  Result<void> Start() {
    const Bytes head = input_.Peek(kFileHeaderSize);
    if (!input_.fault().empty() && head.size() < kMagicSize) return Fail(input_.fault());
    if (head.size() >= kMagicSize && Native(head, 0) == kSectionBlock) {
      pcapng_ = true;
      return {};
    }
    if (head.size() < kFileHeaderSize) return std::unexpected(CutFileHeader(head.size()));
    const auto header = ReadFileHeader(head.first<kFileHeaderSize>());
    if (!header) return Fail(NotClassic(header.error()));
    classic_ = *header;
    interfaces_.push_back({.link_type = header->link_type,
                           .snap_length = header->snap_length,
                           .ticks_per_second = header->precision == TimePrecision::kMicroseconds
                                                   ? 1'000'000ULL
                                                   : 1'000'000'000ULL});
    input_.Drop(kFileHeaderSize);
    return {};
  }

  Result<bool> Next(FileRecord& record) {
    if (ended_) return false;
    auto next = pcapng_ ? NextBlock(record) : NextClassic(record);
    if (!next || !*next) ended_ = true;
    if (next && *next) ++packets_;
    return next;
  }

  const std::vector<FileInterface>& interfaces() const { return interfaces_; }

 private:
  /// pcap_format speaks of files that are classic pcap only.
  static std::string NotClassic(const Error& error) {
    std::string what = error.what;
    constexpr std::string_view kOnly = "a classic pcap file";
    if (const std::size_t at = what.find(kOnly); at != std::string::npos) {
      what.replace(at, kOnly.size(), "a capture file");
    }
    return what;
  }

  static std::uint32_t Native(Bytes bytes, std::size_t at) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    return word;
  }
  std::uint32_t Word(Bytes bytes, std::size_t at) const {
    const std::uint32_t word = Native(bytes, at);
    return swapped_ ? std::byteswap(word) : word;
  }
  std::uint16_t Half(Bytes bytes, std::size_t at) const {
    std::uint16_t half = 0;
    std::memcpy(&half, bytes.data() + at, sizeof(half));
    return swapped_ ? std::byteswap(half) : half;
  }
  std::uint64_t Long(Bytes bytes, std::size_t at) const {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof(number));
    return swapped_ ? std::byteswap(number) : number;
  }
  std::uint64_t Ticks(Bytes bytes, std::size_t at) const {
    return std::uint64_t{Word(bytes, at)} << 32 | Word(bytes, at + 4);
  }

  std::unexpected<Error> Damaged(const std::string& what) const {
    const std::string after =
        packets_ == 0 ? "before any packet" : "after " + CountedPackets(packets_);
    return Fail("the file is damaged at byte " + WithThousands(input_.offset()) + ", " + after +
                ": " + what + "; what follows is lost");
  }
  std::unexpected<Error> Cut(std::uint64_t have, std::uint64_t need) const {
    if (!input_.fault().empty()) {
      return Fail("the file cannot be read to its end: " + input_.fault() + ", after " +
                  CountedPackets(packets_));
    }
    return std::unexpected(CutRecord(input_.offset(), packets_, have, need));
  }

  Result<bool> NextClassic(FileRecord& record) {
    input_.Drop(drop_);
    drop_ = 0;
    Bytes bytes = input_.Peek(kRecordHeaderSize);
    if (bytes.empty() && input_.fault().empty()) return false;
    if (bytes.size() < kRecordHeaderSize) return Cut(bytes.size(), kRecordHeaderSize);
    const RecordHeader header = ReadRecordHeader(bytes.data(), classic_);
    if (IsDamaged(header)) {
      return std::unexpected(DamagedRecord(header, input_.offset(), packets_));
    }
    const std::size_t size = kRecordHeaderSize + header.captured;
    bytes = input_.Peek(size);
    if (bytes.size() < size) return Cut(bytes.size(), size);
    record.interface = 0;
    record.time = ToNanoseconds(header.ticks, interfaces_[0]);
    record.original_length = header.original;
    record.bytes = bytes.subspan(kRecordHeaderSize, header.captured);
    record.comments.clear();
    drop_ = size;
    return true;
  }

  Result<bool> NextBlock(FileRecord& record) {
    for (;;) {
      input_.Drop(drop_);
      drop_ = 0;
      Bytes head = input_.Peek(12);
      if (head.empty() && input_.fault().empty()) return false;
      if (head.size() < 12) return Cut(head.size(), 12);
      std::uint32_t type = Native(head, 0);
      if (type == kSectionBlock) {
        const std::uint32_t order = Native(head, 8);
        if (order != kByteOrderMagic && std::byteswap(order) != kByteOrderMagic) {
          return Damaged("a section without a byte order");
        }
        swapped_ = order != kByteOrderMagic;
        first_interface_ = interfaces_.size();
      } else {
        type = Word(head, 0);
      }
      const std::uint32_t length = Word(head, 4);
      if (length < 12 || length % 4 != 0) {
        return Damaged("a block that claims " + WithThousands(length) + " bytes");
      }
      const bool wanted = type == kInterfaceBlock || type == kObsoletePacketBlock ||
                          type == kSimplePacketBlock || type == kEnhancedPacketBlock ||
                          type == kStatisticsBlock;
      if (!wanted) {
        if (!input_.Skip(length)) return Cut(0, length);
        continue;
      }
      if (length > kLargestReadBlock) {
        return Damaged("a block that claims " + WithThousands(length) + " bytes");
      }
      const Bytes block = input_.Peek(length);
      if (block.size() < length) return Cut(block.size(), length);
      if (Word(block, length - 4) != length) return Damaged("a block whose two lengths differ");
      drop_ = length;
      const Bytes body = block.subspan(8, length - 12);
      if (type == kInterfaceBlock) {
        if (auto read = ReadInterface(body); !read) return Failure(read);
      } else if (type == kStatisticsBlock) {
        ReadStatistics(body);
      } else {
        if (auto read = ReadPacket(type, body, record); !read) return Failure(read);
        return true;
      }
    }
  }

  /// Calls `take(code, value)` for each option that lies whole in `options`.
  template <class Take>
  void ForEachOption(Bytes options, const Take& take) const {
    while (options.size() >= 4) {
      const std::uint16_t code = Half(options, 0);
      const std::size_t size = Half(options, 2);
      const std::size_t padded = (size + 3) & ~std::size_t{3};
      options = options.subspan(4);
      if (code == 0 || size > options.size()) return;
      take(code, options.first(size));
      options = options.subspan(std::min(padded, options.size()));
    }
  }

  static std::string Text(Bytes value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  }

  /// A text of an interface, while there is room for such texts.
  std::string InterfaceText(Bytes value) {
    if (value.size() > kMostTexts - texts_) return {};
    texts_ += value.size();
    return Text(value);
  }

  Result<void> ReadInterface(Bytes body) {
    if (body.size() < 8) return Damaged("an interface block that is too short");
    if (interfaces_.size() >= kMostInterfaces) return Damaged("more than 65,536 interfaces");
    FileInterface interface{.link_type = Half(body, 0), .snap_length = Word(body, 4)};
    ForEachOption(body.subspan(8), [&](std::uint16_t code, Bytes value) {
      if (code == 2) interface.name = InterfaceText(value);
      if (code == 3) interface.description = InterfaceText(value);
      if (code == 9 && !value.empty()) {
        interface.ticks_per_second = TicksPerSecond(std::to_integer<std::uint8_t>(value[0]));
      }
      if (code == 11 && value.size() > 1 && value[0] == std::byte{0}) {
        interface.filter = InterfaceText(value.subspan(1));
      }
      if (code == 14 && value.size() >= 8) {
        interface.offset_seconds = static_cast<std::int64_t>(Long(value, 0));
      }
    });
    interfaces_.push_back(std::move(interface));
    return {};
  }

  void ReadStatistics(Bytes body) {
    if (body.size() < 12 || Word(body, 0) >= interfaces_.size() - first_interface_) return;
    FileInterface& interface = interfaces_[first_interface_ + Word(body, 0)];
    std::optional<std::uint64_t> dropped;
    ForEachOption(body.subspan(12), [&](std::uint16_t code, Bytes value) {
      if (value.size() < 8) return;
      if (code == 2 && interface.ticks_per_second != 0) {
        interface.start = ToNanoseconds(Ticks(value, 0), interface);
      }
      if (code == 3 && interface.ticks_per_second != 0) {
        interface.end = ToNanoseconds(Ticks(value, 0), interface);
      }
      if (code == 4) interface.received = Long(value, 0);
      if (code == 5 || code == 7) dropped = dropped.value_or(0) + Long(value, 0);
    });
    if (dropped) interface.dropped = dropped;
  }

  Result<void> ReadPacket(std::uint32_t type, Bytes body, FileRecord& record) {
    const std::size_t fixed = type == kSimplePacketBlock ? 4 : 20;
    if (body.size() < fixed) return Damaged("a packet block that is too short");
    std::size_t number = 0;
    if (type == kEnhancedPacketBlock) number = Word(body, 0);
    if (type == kObsoletePacketBlock) number = Half(body, 0);
    if (number >= interfaces_.size() - first_interface_) {
      return Damaged(Format("a packet of interface %zu, which the file does not describe", number));
    }
    record.interface = first_interface_ + number;
    const FileInterface& interface = interfaces_[record.interface];
    record.time.reset();
    record.comments.clear();
    std::size_t captured = 0;
    if (type == kSimplePacketBlock) {
      record.original_length = Word(body, 0);
      captured = std::min<std::size_t>(record.original_length, body.size() - fixed);
      if (interface.snap_length != 0) {
        captured = std::min<std::size_t>(captured, interface.snap_length);
      }
    } else {
      if (interface.ticks_per_second != 0) {
        record.time = ToNanoseconds(Ticks(body, 4), interface);
      }
      captured = Word(body, 12);
      record.original_length = Word(body, 16);
    }
    if (captured > body.size() - fixed) {
      return Damaged("a packet that claims " + WithThousands(captured) + " bytes");
    }
    record.bytes = body.subspan(fixed, captured);
    record.original_length = std::max(record.original_length, static_cast<std::uint32_t>(captured));
    if (comments_ && type != kSimplePacketBlock) {
      const std::size_t padded = (captured + 3) & ~std::size_t{3};
      ForEachOption(body.subspan(std::min(fixed + padded, body.size())),
                    [&](std::uint16_t code, Bytes value) {
                      if (code == 1) record.comments.push_back(Text(value));
                    });
    }
    return {};
  }

  Input input_;
  bool comments_;
  bool pcapng_ = false;
  bool swapped_ = false;
  bool ended_ = false;
  std::size_t drop_ = 0;  ///< bytes of the record that was given out last
  PcapHeader classic_;
  std::vector<FileInterface> interfaces_;
  std::size_t first_interface_ = 0;  ///< of the section
  std::size_t texts_ = 0;            ///< bytes in the interfaces' texts
  std::uint64_t packets_ = 0;
};

CaptureReader::CaptureReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CaptureReader::CaptureReader(CaptureReader&&) noexcept = default;
CaptureReader& CaptureReader::operator=(CaptureReader&&) noexcept = default;
CaptureReader::~CaptureReader() = default;

Result<CaptureReader> CaptureReader::Open(const std::string& path, Comments comments) {
  const int fd = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(std::strerror(errno));
  return FromDescriptor(fd, comments);
}

Result<CaptureReader> CaptureReader::FromDescriptor(int fd, Comments comments) {
  auto impl = std::make_unique<Impl>(fd, comments);
  if (auto started = impl->Start(); !started) return Failure(started);
  return CaptureReader(std::move(impl));
}

Result<bool> CaptureReader::Next(FileRecord& record) {
  return impl_->Next(record);
}

const std::vector<FileInterface>& CaptureReader::interfaces() const {
  return impl_->interfaces();
}

}  // namespace cloudflaredump::pcap
