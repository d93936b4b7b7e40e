# SPDX-License-Identifier: GPL-2.0-or-later
"""The extcap with the pipes of Wireshark's toolbar, opened in the order in which its window opens
them (interface_toolbar.cpp): its reader at once, then control-in for writing, which blocks."""

import os
import signal
import struct
import threading
import time

import pytest
from capturing import INSTANT, Client, ExtcapRun, wait_until
from full_captures import Folder, FullClient, emulator_of, ids_of, stops
from wireshark import face_alone

STATUS, FINISH, LOG = 0, 1, 2
SET, ADD, DISABLE, STATUS_BAR, WARNING = 1, 2, 5, 6, 8


class Toolbar:
    """The window's side of the control pipes, for a Client's capture."""

    def __init__(self, client):
        self.to_extcap, self.from_extcap = client.new_path("in"), client.new_path("out")
        for path in (self.to_extcap, self.from_extcap):
            os.mkfifo(path)
            path.chmod(0o666)
        self.words = ["--extcap-control-in", self.to_extcap, "--extcap-control-out",
                      self.from_extcap]
        self.bytes, self.out_fd, self.opened_after = b"", None, None

    def open(self, reading=True):
        """Does what the window does after the start. A freeze of it is an error here."""
        if reading:
            self.in_fd = os.open(self.from_extcap, os.O_RDONLY | os.O_NONBLOCK)
        opened = threading.Thread(target=self._open_out, daemon=True)
        start = time.monotonic()
        opened.start()
        opened.join(20)
        assert self.out_fd is not None, "Wireshark's window would stand still"
        self.opened_after = time.monotonic() - start
        self.write(b"T\0\0\2\0\0")

    def _open_out(self):
        self.out_fd = os.open(self.to_extcap, os.O_WRONLY)

    def write(self, data):
        os.write(self.out_fd, data)

    def press(self, control):
        self.write(b"T\0\0\2" + bytes([control, SET]))

    def close(self):
        for fd in (self.in_fd, self.out_fd):
            os.close(fd)

    def messages(self, command=None, control=None):
        """[text] of what has come so far."""
        try:
            while taken := os.read(self.in_fd, 1 << 16):
                self.bytes += taken
        except BlockingIOError:
            pass
        texts, rest = [], self.bytes
        while len(rest) >= 6:
            assert rest[:1] == b"T"
            length = struct.unpack(">I", b"\0" + rest[1:4])[0]
            if len(rest) < 4 + length:
                break
            if command in (None, rest[5]) and control in (None, rest[4]):
                texts.append(rest[6:4 + length].decode())
            rest = rest[4 + length:]
        return texts

    def states(self):
        return self.messages(SET, STATUS)

    def await_state(self, piece, seconds=30):
        wait_until(lambda: any(piece in state for state in self.states()), piece, seconds)


def run_sample(client, *words, **options):
    """A sample's extcap with a toolbar: (toolbar, run)."""
    toolbar = Toolbar(client)
    return toolbar, ExtcapRun(client, "udp", *toolbar.words, *words, **options)


def test_states_verdict_and_log_of_a_sample(emulator):
    api = emulator("--sample-interval", 0, "--job-seconds", 3)
    toolbar, run = run_sample(Client(api))
    toolbar.open()
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "")
    states = toolbar.states()
    assert len([state for state in states if state.startswith("pending, ")]) >= 2, states
    assert states[-1].startswith("Complete: sample from "), states
    # The status bar has all of the verdict, the toolbar's field as much as it can show.
    assert toolbar.messages(STATUS_BAR)[-1].startswith(states[-1].removesuffix("…"))
    assert any("requested" in line for line in toolbar.messages(ADD, LOG))
    assert len(captured.records) > 0


def test_finish_now_stops_at_cloudflare_and_brings_all(emulator):
    """stop-wait is over long before the files are there; Finish now is not bound by it."""
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    client = FullClient(api, bucket)
    toolbar = Toolbar(client)
    run = ExtcapRun(client, None, *toolbar.words,
                    *client.words("cloudflare-full", time_limit=600, stop_wait=0),
                    interface="cloudflare-full")
    toolbar.open()
    toolbar.await_state("running, ")
    toolbar.press(FINISH)
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "")
    pcap_id = ids_of(api)[0]
    assert pcap_id in stops(api)
    assert len(captured.records) > 0
    assert toolbar.states()[-1].startswith("Stopped: ")
    assert toolbar.messages(DISABLE, FINISH) == [""]


@pytest.mark.parametrize("finishing", [False, True])
def test_a_window_that_dies_stops_the_capture_as_stop_does(emulator, finishing):
    """Wireshark was killed: no signal comes, and its dumpcap goes on reading."""
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    client = FullClient(api, bucket)
    toolbar = Toolbar(client)
    run = ExtcapRun(client, None, *toolbar.words, *client.words("cloudflare-full", time_limit=6000),
                    interface="cloudflare-full")
    toolbar.open()
    toolbar.await_state("running, ")
    assert not stops(api)
    if finishing:
        toolbar.press(FINISH)
        wait_until(lambda: stops(api), "the stop")
    toolbar.close()
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "")
    assert stops(api) == ids_of(api)[:1] and len(captured.records) > 0


def test_finish_now_takes_what_a_sample_has_already_asked_for(emulator):
    api = emulator("--sample-interval", 60, "--job-seconds", 2)
    toolbar, run = run_sample(Client(api, instant=False), "--start-time", "-10m")
    toolbar.open()
    toolbar.await_state("pending")
    toolbar.press(FINISH)
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "")
    assert len(ids(api)) == 1 and len(captured.records) > 0
    assert toolbar.states()[-1].startswith("Stopped: ")


def ids(api):
    return [job["id"] for job in api.pcaps().result or []]


@pytest.mark.parametrize("variables, words", [
    ({"CLOUDFLARE_API_TOKEN": None}, []), ({}, ["--time-limit", "0"]),
    ({"CLOUDFLAREDUMP_LOG": "/nonexistent/log"}, []),
    ({"CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:9/v4"}, []),
])
def test_no_error_makes_the_window_stand_still(instant_api, variables, words):
    """The window comes late to its pipes, and the extcap is still there."""
    toolbar, run = run_sample(Client(instant_api, **variables), *words)
    time.sleep(1)
    toolbar.open()
    captured = run.finish()
    assert captured.returncode == 1 and captured.stderr.count("\n") == 1


def test_a_face_without_its_tool_does_not_make_the_window_stand_still(instant_api):
    client = Client(instant_api, PATH="/usr/bin:/bin")
    toolbar = Toolbar(client)
    run = ExtcapRun(client, "udp", *toolbar.words, program=face_alone())
    time.sleep(0.5)
    toolbar.open()
    assert "was not found" in run.finish().stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_may_end_at_any_point_after_the_pipes_are_open(emulator, number):
    toolbar, run = run_sample(Client(emulator("--job-result", "never")))
    toolbar.open()
    run.process.send_signal(number)
    run.finish()


def test_a_window_that_does_not_read_holds_no_capture_up(emulator):
    api = emulator(*INSTANT)
    toolbar, run = run_sample(Client(api, CLOUDFLAREDUMP_LOG_LEVEL="noisy"))
    toolbar.open(reading=False)
    captured = run.finish(30)
    assert (captured.returncode, captured.stderr) == (0, "") and len(captured.records) > 0


def test_garbage_from_the_control_pipe_is_borne(emulator):
    toolbar, run = run_sample(Client(emulator("--sample-interval", 0, "--job-seconds", 2)))
    toolbar.open()
    for garbage in (b"T\xff\xff\xff\1\1", b"garbage" * 500, b"T\0\0\0\0", os.urandom(3000)):
        toolbar.write(garbage)
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "") and len(captured.records) > 0


def test_pipes_that_nobody_opens(emulator):
    """Not Wireshark, then: the capture runs all the same."""
    _, run = run_sample(Client(emulator(*INSTANT)))
    captured = run.finish()
    assert (captured.returncode, captured.stderr) == (0, "") and len(captured.records) > 0
    assert captured.seconds < 30
