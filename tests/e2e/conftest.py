# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the end-to-end tests. Whatever a test starts is bounded, and ends with it."""

import os
import pathlib

import pytest
from capturing import INSTANT, Client
from emulator import Emulator, Emulators, write_pcap
from full_captures import numbered
from s3_server import S3Server, installed

# Real captures from public projects' tests; what they lack the tests make.
REAL_PCAPS = pathlib.Path(os.environ.get(
    "CLOUDFLAREDUMP_TEST_PCAPS", pathlib.Path(__file__).parents[3] / "shared/data/pcaps"))


@pytest.fixture
def emulator():
    """`emulator("--speed", 60)` starts one more emulator, which ends with the test."""
    emulators = Emulators()
    yield emulators
    emulators.stop()


@pytest.fixture(scope="session")
def instant_api():
    """One emulator for all tests that neither wait for samples nor change what it answers."""
    with Emulator(*INSTANT) as api:
        yield api


@pytest.fixture(scope="session")
def client(instant_api):
    """Captures from `instant_api`."""
    return Client(instant_api)


@pytest.fixture
def recorded(tmp_path):
    """`recorded(count)` is a file with so many packets, for an emulator; they pass in the first
    moment of a capture."""
    def make(count=300, **more):
        return write_pcap(tmp_path / "in.pcap", numbered(count, **more), nanoseconds=True)
    return make


@pytest.fixture(scope="module")
def s3():
    """A real S3 server."""
    if not installed():
        pytest.skip("Swift's packages are not installed")
    with S3Server() as server:
        yield server


@pytest.fixture
def real_pcap():
    """`real_pcap(name)` is the path of a real capture file; skips the test if it is not here."""
    def find(name):
        path = REAL_PCAPS / name
        if not path.exists():
            pytest.skip(f"{name} is not on this machine")
        return path
    return find
