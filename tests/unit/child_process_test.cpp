// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/child_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::system {
namespace {

/// Forks a process that forks one that asks to end with it, writes a byte and waits for `seconds`;
/// the middle one is killed once the byte is there. Returns what is read after it: nothing, for the
/// end of the innermost closes the pipe.
ssize_t ReadAfterTheParentsEnd(unsigned seconds) {
  std::array<int, 2> ends = {};
  assert_int_equal(pipe(ends.data()), 0);
  const pid_t middle = fork();
  if (middle == 0) {
    const pid_t self = getpid();
    if (fork() == 0) {
      EndWithParent(self);
      if (write(ends[1], "a", 1) != 1) _exit(1);
      for (unsigned left = seconds; left > 0;) left = sleep(left);
      _exit(write(ends[1], "b", 1) == 1 ? 0 : 1);
    }
    pause();
    _exit(0);
  }
  close(ends[1]);
  char byte = 0;
  assert_int_equal(read(ends[0], &byte, 1), 1);
  assert_int_equal(byte, 'a');
  kill(middle, SIGKILL);
  assert_int_equal(waitpid(middle, nullptr, 0), middle);
  const ssize_t n = read(ends[0], &byte, 1);
  close(ends[0]);
  return n;
}

void AChildEndsWithItsParent(void**) {
  assert_int_equal(ReadAfterTheParentsEnd(20), 0);
}

void AParentThatHasGoneIsNoticedAtOnce(void**) {
  const pid_t child = fork();
  if (child == 0) {
    EndWithParent(getpid());  // not its parent
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

void AChildWhoseParentStaysGoesOn(void**) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    EndWithParent(parent);
    for (unsigned left = 2; left > 0;) left = sleep(left);
    _exit(3);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

void MemoryBeyondTheLimitIsRefused(void**) {
#ifdef __SANITIZE_ADDRESS__
  skip();  // its shadow memory is above any limit
#else
  const pid_t child = fork();
  if (child == 0) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    LimitMemory(256 * kMebibyte);
    // Volatile: a compiler may leave memory out that nothing uses.
    void* const volatile some = malloc(32 * kMebibyte);
    void* const volatile much = malloc(512 * kMebibyte);
    _exit(some != nullptr && much == nullptr ? 4 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
#endif
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AChildEndsWithItsParent),
      cmocka_unit_test(AParentThatHasGoneIsNoticedAtOnce),
      cmocka_unit_test(AChildWhoseParentStaysGoesOn),
      cmocka_unit_test(MemoryBeyondTheLimitIsRefused),
  };
  return cmocka_run_group_tests_name("child_process", tests, nullptr, nullptr);
}
