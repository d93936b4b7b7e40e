// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/fifo_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "extcap/system/glib_event_loop.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

/// A FIFO with a reader that lives on the test's own event loop.
class Pipe {
 public:
  Pipe() {
    path = folder_ / "fifo";
    assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  }
  ~Pipe() { CloseReader(); }

  void OpenReader() { reader_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }
  void CloseReader() {
    loop.Cancel(watch_);
    if (reader_ >= 0) close(reader_);
    reader_ = -1;
  }

  /// Reads at most `most` bytes now.
  std::size_t Read(std::size_t most) {
    std::string piece(most, '\0');
    const ssize_t n = read(reader_, piece.data(), most);
    if (n > 0) received.append(piece, 0, static_cast<std::size_t>(n));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  /// From now on the loop reads what comes.
  void ReadAlways() {
    watch_ = loop.Watch(reader_, POLLIN, [this](short) { Read(50000); });
  }

  std::unique_ptr<FifoSink> Sink() {
    OpenReader();
    return ValueOf(FifoSink::Open(path, loop, stop));
  }

  GlibEventLoop loop;
  StopRequests stop{loop};
  std::string path;
  std::string received;

 private:
  TempFolder folder_;
  int reader_ = -1;
  EventLoop::Id watch_ = 0;
};

/// Bytes that show a lost or doubled piece.
std::string Numbered(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

void OpeningWaitsForAReader(void**) {
  Pipe pipe;
  bool came = false;
  pipe.loop.CallAt(pipe.loop.Steady() + 30ms, [&] {
    came = true;
    pipe.OpenReader();
  });
  AssertGood(FifoSink::Open(pipe.path, pipe.loop, pipe.stop));
  assert_true(came);
}

void AStopEndsTheWaitForAReader(void**) {
  Pipe pipe;
  pipe.loop.CallAt(pipe.loop.Steady() + 30ms, [&] { pipe.stop.Request(); });
  assert_true(ErrorOf(FifoSink::Open(pipe.path, pipe.loop, pipe.stop)).kind ==
              Error::Kind::kInterrupted);
}

void APathThatIsNotThereIsNamed(void**) {
  Pipe pipe;
  AssertFails(FifoSink::Open("/nonexistent/fifo", pipe.loop, pipe.stop), Error::Kind::kFinal,
              "cannot open the capture pipe /nonexistent/fifo: No such file or directory.");
}

void AllBytesArriveInOrder(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  AssertGood(sink->Write("head "));
  AssertGood(sink->Write(""));
  AssertGood(sink->Write("tail"));
  AssertGood(sink->Close());
  pipe.Read(100);
  AssertText(pipe.received, "head tail");
}

void MoreThanThePipeHoldsWaitsForTheReader(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  const std::string much = Numbered(std::size_t{5} << 20);
  pipe.loop.CallAt(pipe.loop.Steady() + 20ms, [&] { pipe.ReadAlways(); });
  AssertGood(sink->Write(much));
  AssertGood(sink->Close());
  while (pipe.Read(1 << 20) > 0) {
  }
  assert_true(pipe.received == much);
}

void AReaderThatGoesIsNoticedBetweenWrites(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  AssertGood(sink->Write("x"));
  pipe.CloseReader();
  assert_true(pipe.loop.RunUntil(pipe.stop.Leaving(), pipe.loop.Steady() + 10s));
  assert_true(ErrorOf(sink->Write("y")).kind == Error::Kind::kInterrupted);
}

void AReaderThatGoesIsNoticedByTheWrite(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  pipe.CloseReader();
  assert_true(ErrorOf(sink->Write("x")).kind == Error::Kind::kInterrupted);
  assert_true(pipe.stop.AtLeast(StopLevel::kLeave));
}

void AReaderThatGoesEndsAWaitingWrite(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  pipe.loop.CallAt(pipe.loop.Steady() + 20ms, [&] { pipe.CloseReader(); });
  const Result<void> written = sink->Write(Numbered(std::size_t{5} << 20));
  assert_true(ErrorOf(written).kind == Error::Kind::kInterrupted);
}

void OnlyLeaveEndsAWaitingWrite(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  bool stopped_first = false;
  pipe.loop.CallAt(pipe.loop.Steady() + 20ms, [&] {
    pipe.stop.Request();
    stopped_first = true;
  });
  pipe.loop.CallAt(pipe.loop.Steady() + 60ms, [&] { pipe.stop.Leave(); });
  assert_true(ErrorOf(sink->Write(Numbered(std::size_t{5} << 20))).kind ==
              Error::Kind::kInterrupted);
  assert_true(stopped_first && pipe.stop.AtLeast(StopLevel::kLeave));
}

void AStoppedCaptureStillDelivers(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  pipe.stop.Request();
  AssertGood(sink->Write("what is held"));
  pipe.Read(100);
  AssertText(pipe.received, "what is held");
}

void AfterCloseNothingIsWritten(void**) {
  Pipe pipe;
  const auto sink = pipe.Sink();
  AssertGood(sink->Close());
  AssertGood(sink->Close());
  AssertFails(sink->Write("x"), Error::Kind::kInterrupted, "has gone");
  pipe.loop.RunUntil([] { return false; }, pipe.loop.Steady() + 10ms);
  assert_true(pipe.stop.level() == StopLevel::kNone);
}

/// Standard output may be a file.
void AFileIsWrittenLikeAPipe(void**) {
  Pipe pipe;
  const TempFolder folder;
  const std::string path = folder.Write("out", "");
  FifoSink sink(open(path.c_str(), O_WRONLY | O_CLOEXEC), pipe.loop, pipe.stop);
  AssertGood(sink.Write("bytes"));
  AssertGood(sink.Close());
  AssertText(ReadFile(path), "bytes");
}

void AFullDiskIsASentence(void**) {
  Pipe pipe;
  FifoSink sink(open("/dev/full", O_WRONLY | O_CLOEXEC), pipe.loop, pipe.stop);
  AssertFails(sink.Write("x"), Error::Kind::kFinal,
              "cannot write the capture: No space left on device.");
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OpeningWaitsForAReader),
      cmocka_unit_test(AStopEndsTheWaitForAReader),
      cmocka_unit_test(APathThatIsNotThereIsNamed),
      cmocka_unit_test(AllBytesArriveInOrder),
      cmocka_unit_test(MoreThanThePipeHoldsWaitsForTheReader),
      cmocka_unit_test(AReaderThatGoesIsNoticedBetweenWrites),
      cmocka_unit_test(AReaderThatGoesIsNoticedByTheWrite),
      cmocka_unit_test(AReaderThatGoesEndsAWaitingWrite),
      cmocka_unit_test(OnlyLeaveEndsAWaitingWrite),
      cmocka_unit_test(AStoppedCaptureStillDelivers),
      cmocka_unit_test(AfterCloseNothingIsWritten),
      cmocka_unit_test(AFileIsWrittenLikeAPipe),
      cmocka_unit_test(AFullDiskIsASentence),
  };
  return cmocka_run_group_tests_name("fifo_sink", tests, nullptr, nullptr);
}
