# SPDX-License-Identifier: GPL-2.0-or-later
"""The system clock is set while a capture runs, and the program is stopped and goes on, as when a
laptop sleeps: captures end as they should, and soon."""

import glob
import os
import signal
import subprocess
import time

import pytest
from capturing import (SANITIZED, Client, ExtcapRun, as_words, finish, requests_of, wait_until)

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
needs_faketime = pytest.mark.skipif(FAKETIME is None or SANITIZED, reason="no libfaketime")


class Clock:
    """A clock for commands; `set("+2h")` sets it."""

    def __init__(self, client):
        self.file = client.folder / "clock"
        self.set("+0")

    def under(self, command):
        """`command` with this clock. Loaded by env, for what changes users cannot share it."""
        return ["env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={self.file}",
                "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                *command]

    def set(self, offset):
        temporary = self.file.with_suffix(".new")
        temporary.write_text(offset + "\n")
        temporary.chmod(0o644)
        os.replace(temporary, self.file)


@needs_faketime
def test_the_clock_of_these_tests_moves(client):
    one = Client("http://127.0.0.1:9")
    clock = Clock(one)
    clock.set("+2d")
    told = one.run(clock.under(["date", "+%s"])).stdout
    assert int(told) - time.time() > 100000


@needs_faketime
@pytest.mark.parametrize("jump", ["+2h", "-2h", "+400d", "-3d"])
@pytest.mark.parametrize("phase", ["polling", "downloading", "waiting for the turn"])
def test_the_clock_is_set_in_a_sample(emulator, phase, jump):
    options = {"polling": ["--job-seconds", 2], "downloading": ["--download-rate", 30000],
               "waiting for the turn": ["--job-seconds", 0, "--sample-interval", 2]}[phase]
    api = emulator("--sample-interval", 0, *options)
    client = Client(api)
    if phase == "waiting for the turn":
        client.configure("[default]\nsample-interval=2\n")
        assert api.create().status == 200
    clock = Clock(client)
    path = client.new_path()
    before = len(requests_of(api))
    process = client.start(clock.under(client.capture_command(path, "udp")))
    wait_until(lambda: len(requests_of(api)) > before, "the first request")
    time.sleep(0.6)
    clock.set(jump)
    started = time.monotonic()
    _, err = finish(process, 40)
    assert process.returncode == 0, err
    assert time.monotonic() - started < 30


@needs_faketime
@pytest.mark.parametrize("offset", ["+2h", "-2h"])
def test_a_clock_that_is_wrong_from_the_start(emulator, offset):
    """Cloudflare refuses a window in its future or too long ago, or has nothing there: that is
    said, or the capture is empty; nothing waits for ever."""
    client = Client(emulator("--sample-interval", 0, "--job-seconds", 0))
    clock = Clock(client)
    clock.set(offset)
    path = client.new_path()
    done = client.run(clock.under(client.capture_command(path, "udp")), timeout=40)
    assert done.returncode in (0, 1, 3), done
    assert done.stderr


@pytest.mark.parametrize("asleep", [0.2, 1.5])
@pytest.mark.parametrize("phase", ["list", "polling", "downloading"])
def test_stopped_and_continued(emulator, phase, asleep):
    """SIGSTOP and SIGCONT, with time passing between: what timed out meanwhile is tried again."""
    options = {"list": ["--answer-delay", 0.5, "--job-seconds", 0], "polling": ["--job-seconds", 1],
               "downloading": ["--job-seconds", 0, "--download-rate", 60000]}[phase]
    api = emulator("--sample-interval", 0, *options)
    client = Client(api, speed=20)  # a sleep of 1.5 s is one of 30 s
    path = client.new_path()
    process = client.start(client.capture_command(path, "udp"))
    wait_until(lambda: len(requests_of(api)) >= (1 if phase == "list" else 3), phase)
    process.send_signal(signal.SIGSTOP)
    time.sleep(asleep)
    process.send_signal(signal.SIGCONT)
    _, err = finish(process, 40)
    assert process.returncode == 0, err


def test_a_stop_while_asleep_is_heeded_on_waking(emulator):
    api = emulator("--job-result", "never")
    client = Client(api)
    process = client.start(client.capture_command(client.new_path(), "udp", "-q"))
    wait_until(lambda: len(requests_of(api)) >= 3, "polling")
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    started = time.monotonic()
    process.send_signal(signal.SIGCONT)
    _, err = finish(process, 20)
    assert process.returncode == 4 and err == ""
    assert time.monotonic() - started < 10


def test_a_long_span_keeps_few_connections(instant_api):
    """Found by the soak benchmark: each POST left its connection open."""
    client = Client(instant_api)
    process = client.start(client.capture_command(
        client.new_path(), "udp port 53", "-q", *as_words({
            "start_time": "-200m", "end_time": "-1m", "requests_per_window": 1, "packet_limit": 20,
            "max_requests": 100})))
    most = 0
    while process.poll() is None:
        try:
            most = max(most, len(os.listdir(f"/proc/{process.pid}/fd")))
        except OSError:
            break
    finish(process)
    assert process.returncode in (0, 4) and 3 < most < 16


# ---- readers


@pytest.fixture(scope="module")
def stream(instant_api):
    """How many bytes a small capture has."""
    done = Client(instant_api).extcap("udp port 53", packet_limit=5)
    return done.path.stat().st_size


def offsets(size, count):
    return sorted({int(size * n / count) for n in range(count)} | {1, size - 1})


def test_the_reader_goes_at_any_byte(instant_api, stream):
    """Of a small capture, through a pipe: the program ends at once, with nothing to say. All bytes
    with CLOUDFLAREDUMP_TEST_ALL set."""
    client = Client(instant_api)
    every = range(stream) if os.environ.get("CLOUDFLAREDUMP_TEST_ALL") else offsets(stream, 40)
    command = client.capture_command("-", "udp port 53", "-q", *as_words({"packet_limit": 5}))
    for taken in every:
        process = client.start(command, stdout=subprocess.PIPE, text=False)
        got = process.stdout.read(taken)
        process.stdout.close()
        _, err = process.stderr.read(), process.wait(30)
        # Its texts differ in length from run to run, so that it may be over a little earlier.
        assert len(got) == taken or len(got) > stream - 64, (len(got), taken)
        assert process.returncode in (0, 4), (taken, process.returncode)


def test_a_reader_that_takes_a_byte_at_a_time(instant_api):
    client = Client(instant_api)
    run = ExtcapRun(client, "udp port 53", *as_words({"packet_limit": 5}))
    original, parts = os.read, []

    def slowly(fd, _):
        parts.append(original(fd, 1))
        return parts[-1]

    os.read = slowly
    try:
        done = run.finish(60)
    finally:
        os.read = original
    assert done.returncode == 1 and "limit of 5 packets" in done.stderr
    assert len(done.records) >= 1 and done.section.interfaces[0].statistics
    assert max(map(len, parts)) == 1


def test_a_reader_that_never_reads_is_left_after_two_signals(emulator, tmp_path):
    """And one that opens the pipe and does nothing at all does not keep the program."""
    from emulator import Packet, write_pcap
    from packets import UDP, ip4, ports
    packets = [Packet(1795414800 * 10**9 + n * 1000, ip4(UDP, ports(n, 53, bytes(300))))
               for n in range(9999)]
    api = emulator("--job-seconds", 0, "--serve-as-is", write_pcap(tmp_path / "l.pcap", packets))
    run = ExtcapRun(Client(api))
    wait_until(lambda: requests_of(api, "GET", "/download"), "the download")
    time.sleep(0.5)
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGTERM)
    time.sleep(1.1)
    run.process.send_signal(signal.SIGTERM)
    wait_until(lambda: run.process.poll() is not None, "its end", 10)
    assert run.process.returncode == 0
    run.close_reader()
