# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests in a real Wireshark window. Pictures are kept in the folder
CLOUDFLAREDUMP_SCREENSHOTS, else in screenshots in the build folder."""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
# pylint: disable=wrong-import-position
import wireshark
from emulator import Emulators
from full_captures import Folder, FullClient, emulator_of

import desktop as desktops
from window import WiresharkWindow


def pytest_configure(config):
    # What has been started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    config.addinivalue_line("filterwarnings", "ignore:Atspi:DeprecationWarning")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call":
        item.has_failed = report.failed


@pytest.fixture(scope="session")
def desktop():
    """One display for all tests."""
    if absent := desktops.missing():
        pytest.fail(f"not installed: {', '.join(absent)}; tests/gui/run installs what is needed")
    with desktops.Desktop() as shown:
        yield shown


@pytest.fixture(scope="session")
def screenshots():
    """The folder for pictures."""
    return pathlib.Path(os.environ.get("CLOUDFLAREDUMP_SCREENSHOTS",
                                       wireshark.build_dir() / "screenshots"))


@pytest.fixture
def emulator():
    """`emulator("--speed", 60)` starts one more emulator, which ends with the test."""
    emulators = Emulators()
    yield emulators
    emulators.stop()


@pytest.fixture
def window(desktop, screenshots, request):
    """`window(client, "-k", …)` opens Wireshark; it ends with the test. A test that fails leaves a
    picture of what was there."""
    opened = []

    def start(client, *words, **options):
        opened.append(WiresharkWindow(desktop, client, *words, **options))
        return opened[-1].__enter__()

    yield start
    if getattr(request.node, "has_failed", False):
        desktop.picture(screenshots / f"failed-{request.node.name}.png")
    for one in opened:
        one.__exit__()


@pytest.fixture
def account(emulator):
    """`account()`: (emulator, client) of somebody with a bucket, in real time; `configuration` is
    added to the client's file, `variables` to its environment."""
    def make(*options, configuration="", **variables):
        bucket = Folder()
        api = emulator_of(emulator, bucket, "--speed", 1, "--job-seconds", 2,
                          "--sample-interval", 0, *options)
        client = FullClient(api, bucket, speed=1,
                            CLOUDFLAREDUMP_TRACE_URL=api.url + "/cdn-cgi/trace", **variables)
        client.configure(f"[default]\ndestination-conf={bucket.destination}\nlisting-interval=1\n"
                         f"sample-interval=0\n{configuration}")
        return api, client
    return make
