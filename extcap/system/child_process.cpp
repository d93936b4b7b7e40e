// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/child_process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>

#include "common/platform.h"
#if CLOUDFLAREDUMP_HAVE_PRCTL
#include <sys/prctl.h>
#endif

namespace cloudflaredump::system {
namespace {

#if CLOUDFLAREDUMP_HAVE_PRCTL

void AskForTheEnd(pid_t) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

#else

// A signal handler can reach nothing but globals.
volatile pid_t parent_of_child = 0;

void OnAlarm(int) {
  if (getppid() != parent_of_child) _exit(1);
}

void AskForTheEnd(pid_t parent) {
  parent_of_child = parent;
  struct sigaction action = {};
  action.sa_handler = OnAlarm;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, nullptr);
  constexpr itimerval kEachSecond = {.it_interval = {.tv_sec = 1, .tv_usec = 0},
                                     .it_value = {.tv_sec = 1, .tv_usec = 0}};
  setitimer(ITIMER_REAL, &kEachSecond, nullptr);
}

#endif

}  // namespace

void EndWithParent(pid_t parent) {
  AskForTheEnd(parent);
  if (getppid() != parent) _exit(1);
}

void LimitMemory(std::uint64_t bytes) {
  std::uint64_t pages = 0;
#if CLOUDFLAREDUMP_HAVE_PROC
  std::ifstream("/proc/self/statm") >> pages;
#endif
  const rlim_t most = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit limit = {.rlim_cur = most, .rlim_max = most};
  setrlimit(RLIMIT_AS, &limit);
}

}  // namespace cloudflaredump::system
