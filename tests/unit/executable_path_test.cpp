// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/executable_path.h"

#include <unistd.h>

#include <cstdlib>

#include "common/platform.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::system {
namespace {

std::string called;  // argv[0] of this program

void ItIsThisProgram(void**) {
  const std::string path = ExecutablePath(called.c_str());
  assert_true(path.starts_with('/') && path.ends_with("/executable_path_test"));
  assert_int_equal(access(path.c_str(), X_OK), 0);
}

void LinksAreFollowedAndPathIsSearched(void**) {
  const TempFolder folder;
  const std::string own = ExecutablePath(called.c_str());
  assert_int_equal(symlink(own.c_str(), (folder / "a-link").c_str()), 0);
  AssertText(ExecutablePath((folder / "a-link").c_str()), own);
  setenv("PATH", folder.path().c_str(), 1);
  AssertText(ExecutablePath("a-link"), own);
}

void WhatIsNowhereIsNotKnown(void**) {
#if CLOUDFLAREDUMP_HAVE_PROC
  skip();  // the system tells
#else
  AssertText(ExecutablePath("no-such-program"), "");
  AssertText(ExecutablePath("/no/such/program"), "");
#endif
}

}  // namespace
}  // namespace cloudflaredump::system

int main(int, char** argv) {
  using namespace cloudflaredump::system;
  called = argv[0];
  const CMUnitTest tests[] = {
      cmocka_unit_test(ItIsThisProgram),
      cmocka_unit_test(LinksAreFollowedAndPathIsSearched),
      cmocka_unit_test(WhatIsNowhereIsNotKnown),
  };
  return cmocka_run_group_tests_name("executable_path", tests, nullptr, nullptr);
}
