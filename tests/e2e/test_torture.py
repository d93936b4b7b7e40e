# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of the fault torture; all of it is tests/torture/run --all."""

import os
import subprocess
import sys

from emulator import BUILD, ROOT


def test_a_sample_of_all_faults():
    done = subprocess.run([sys.executable, ROOT / "tests/torture/run", "--sample", "400",
                           "--live", "4"], env={**os.environ, "CLOUDFLAREDUMP_BUILD": str(BUILD)},
                          capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " 0 wrong" in done.stdout
