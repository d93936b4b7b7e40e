# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGINT, SIGTERM or both within milliseconds, in each phase of a capture: the program ends at once,
the FIFO is closed and nothing is said. The time is measured and printed; the bound asserted is
generous, for machines that are busy."""

import functools
import os
import signal
import subprocess
import time

import pytest
import wireshark
from capturing import (INSTANT, SAMPLE, SANITIZED, Client, ExtcapRun, finish, kill_group, requests_of,
                       wait_until, wait_until_caught)
from emulator import Packet, write_pcap
from packets import UDP, ip4, ports

SIGNALS = {"INT": [signal.SIGINT], "TERM": [signal.SIGTERM], "HUP": [signal.SIGHUP],
           "both": [signal.SIGINT, signal.SIGTERM]}
BOUND = 20  # seconds: far above what is promised, for busy machines


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """More than a pipe holds; one packet more would reach the limit."""
    packets = [Packet(1795414800 * 10**9 + n * 1000, ip4(UDP, ports(n, 53, b"\0" * 126)), 1500)
               for n in range(9999)]
    return write_pcap(tmp_path_factory.mktemp("large") / "large.pcap", packets)


def asked(api, count):
    return lambda: len(requests_of(api)) >= count


def phase_waiting(emulator, _):
    """For the turn: somebody has just asked for a sample."""
    api = emulator()
    assert api.create().status == 200
    return api, asked(api, 2), {"instant": False}


def phase_list(emulator, _):
    """The first request is under way."""
    api = emulator("--answer-delay", 60)
    return api, asked(api, 1), {}


def phase_post(emulator, _):
    """The POST is under way; whether it arrives is not known."""
    api = emulator("--answer-delay", 1)
    return api, asked(api, 2), {}


def phase_polling(emulator, _):
    api = emulator("--job-result", "never")
    return api, asked(api, 3), {}


def phase_retrying(emulator, _):
    """While a capture of ours exists, an outage is waited out."""
    api = emulator("--job-seconds", 0, "--answer", "GET /download=503")
    return api, asked(api, 4), {}


def phase_downloading(emulator, large):
    api = emulator("--job-seconds", 0, "--serve-as-is", large, "--download-rate", 20000)
    return api, asked(api, 3), {}


# A resolver in place of the C library's: it answers after half a minute. Where FIRST names a folder,
# it knows no name the first time: the program has forbidden itself to look names up then.
SLOW_NAMES = """
#include <netdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int getaddrinfo(const char *n, const char *s, const struct addrinfo *h, struct addrinfo **r) {
  const char *first = getenv("FIRST");
  if (first != NULL && mkdir(first, 0700) == 0) return EAI_NONAME;
  mkdir(getenv("ASKED"), 0700);
  sleep(30);
  return EAI_AGAIN;
}
"""


# Closes a FIFO and then takes its time, so that all that its reader does comes before the rest.
SLOW_CLOSE = """
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int close(int fd) {
  struct stat file;
  const int slow = fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode);
  const int closed = syscall(SYS_close, fd);
  if (slow) sleep(2);
  return closed;
}
"""


@functools.cache
def library_of(source):
    """Compiles C for LD_PRELOAD."""
    library = wireshark.open_folder() / "preloaded.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-xc", "-", "-o", library], input=source, text=True,
                   check=True)
    return library


def slow_names():
    """(what is true once a name has been asked for, variables for a program with that resolver)"""
    mark = wireshark.open_folder() / "asked"
    return mark.exists, {"LD_PRELOAD": str(library_of(SLOW_NAMES)), "ASKED": str(mark)}


def phase_looking_up(_, __):
    """The name of the API's host is being looked up."""
    return "https://slow.example", *slow_names()


PHASES = [phase_waiting, phase_list, phase_post, phase_polling, phase_retrying, phase_downloading,
          *([] if SANITIZED else [phase_looking_up])]


def send(process, signals):
    for number in signals:
        process.send_signal(number)
        time.sleep(0.003)


def report(name, seconds):
    print(f"{name}: {seconds * 1000:.0f} ms")
    assert seconds < BOUND


@pytest.mark.parametrize("signals", SIGNALS)
@pytest.mark.parametrize("phase", PHASES)
def test_an_extcap_ends_before_its_first_packet(emulator, large, phase, signals):
    api, ready, options = phase(emulator, large)
    run = ExtcapRun(Client(api, **options))
    wait_until(ready, phase.__name__)
    time.sleep(0.05)
    assert run.process.poll() is None, "it did not wait"
    started = time.monotonic()
    send(run.process, SIGNALS[signals])
    done = run.finish(30)
    report(f"{phase.__name__} {signals}", time.monotonic() - started)
    assert done.fifo_was_opened
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not done.path.exists(), "nothing was captured, so there is no file to speak of"


@pytest.mark.parametrize("phase", PHASES)
def test_the_tool_ends_before_its_first_packet(emulator, large, phase):
    api, ready, options = phase(emulator, large)
    client = Client(api, **options)
    path = client.new_path()
    process = client.start([client.tool_path, "capture", "-i", SAMPLE, "-w", path, "-q"])
    wait_until(ready, phase.__name__)
    time.sleep(0.05)
    started = time.monotonic()
    send(process, SIGNALS["INT"])
    _, err = finish(process, 30)
    report(phase.__name__, time.monotonic() - started)
    assert process.returncode == 4 and err == ""
    assert not path.exists()


@pytest.mark.skipif(SANITIZED, reason="the resolver is preloaded")
def test_an_extcap_ends_while_a_name_in_its_filter_is_looked_up(emulator):
    ready, variables = slow_names()
    client = Client(emulator(), FIRST=str(wireshark.open_folder() / "first"), **variables)
    run = ExtcapRun(client, "host slow.example")
    wait_until(ready, "the look-up")
    started = time.monotonic()
    send(run.process, SIGNALS["TERM"])
    done = run.finish(30)
    taken = time.monotonic() - started
    report("looking a name up", taken)
    assert taken < 4, "the look-up's own limit ended it"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("number", ["INT", "TERM", "HUP"])
def test_an_extcap_ends_while_its_filter_is_compiled(emulator, number):
    """libpcap takes a minute for it."""
    run = ExtcapRun(Client(emulator()), " or ".join(f"port {1000 + 7 * i}" for i in range(600)))
    wait_until_caught(run.process, SIGNALS[number][0])
    time.sleep(0.5)
    assert run.process.poll() is None
    started = time.monotonic()
    send(run.process, SIGNALS[number])
    done = run.finish(30)
    report(f"compiling a filter, SIG{number}", time.monotonic() - started)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_extcap_whose_fifo_nobody_opens(instant_api):
    run = ExtcapRun(Client(instant_api), reader=False)
    wait_until_caught(run.process, signal.SIGTERM)
    time.sleep(0.3)
    assert run.process.poll() is None
    started = time.monotonic()
    send(run.process, SIGNALS["TERM"])
    done = run.finish(30)
    report("opening", time.monotonic() - started)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("signals", SIGNALS)
def test_writing_to_a_reader_that_goes_on(emulator, large, signals):
    """What is held is delivered whole."""
    api = emulator("--job-seconds", 0, "--serve-as-is", large)
    run = ExtcapRun(Client(api))
    wait_until(lambda: run.read(), "the first bytes")
    started = time.monotonic()
    send(run.process, SIGNALS[signals])
    done = run.finish(30)
    report(f"writing {signals}", time.monotonic() - started)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.records) == 9999 and done.section.interfaces[0].statistics


def test_writing_to_a_reader_that_has_stopped_reading(emulator, large):
    """The first signal starts the stop; one more after a second ends the delivery, too."""
    api = emulator("--job-seconds", 0, "--serve-as-is", large)
    run = ExtcapRun(Client(api))
    wait_until(lambda: run.read(), "the first bytes")
    time.sleep(0.3)
    send(run.process, SIGNALS["TERM"])
    time.sleep(1.2)
    started = time.monotonic()
    if run.process.poll() is None:
        send(run.process, SIGNALS["TERM"])
    wait_until(lambda: run.process.poll() is not None, "its end", BOUND)
    report("writing, second signal", time.monotonic() - started)
    done = run.finish(30)
    assert (done.returncode, done.stderr) == (0, "")


def test_stop_wait_bounds_a_reader_that_has_stopped_reading(emulator, large):
    api = emulator("--job-seconds", 0, "--serve-as-is", large)
    run = ExtcapRun(Client(api), None, "--stop-wait", "1")
    wait_until(lambda: run.read(), "the first bytes")
    time.sleep(0.3)
    started = time.monotonic()
    send(run.process, SIGNALS["TERM"])
    wait_until(lambda: run.process.poll() is not None, "its end", 1 + BOUND)
    report("writing, stop-wait 1 s", time.monotonic() - started)
    run.finish(30)


@pytest.mark.parametrize("phase", [phase_waiting, phase_list, phase_polling, phase_downloading])
def test_the_reader_goes_while_nothing_is_written(emulator, large, phase):
    api, ready, options = phase(emulator, large)
    run = ExtcapRun(Client(api, **options))
    wait_until(ready, phase.__name__)
    time.sleep(0.05)
    started = time.monotonic()
    run.close_reader()
    done = run.finish(30)
    report(f"{phase.__name__}, reader gone", time.monotonic() - started)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("taken", [1, 1000, 300000])
def test_the_reader_goes_while_packets_are_written(emulator, large, taken):
    api = emulator("--job-seconds", 0, "--serve-as-is", large)
    run = ExtcapRun(Client(api))
    wait_until(lambda: run.read() is not None and len(run.data) >= taken, f"{taken} bytes")
    started = time.monotonic()
    run.close_reader()
    out, err = finish(run.process, 30)
    report(f"writing, reader gone after {taken} bytes", time.monotonic() - started)
    assert (run.process.returncode, out, err) == (0, "", "")


def extcap_of(process):
    """The pid of the extcap that this tshark has started; its environment is nobody's to read."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getpgid(int(entry)) == process.pid:
                words = open(f"/proc/{entry}/cmdline").read().split("\0")
                if "--capture" in words and words[0].endswith("cloudflaredump"):
                    return int(entry)
        except OSError:
            pass
    return None


@pytest.mark.skipif(SANITIZED, reason="no other library can be preloaded")
@pytest.mark.parametrize("options, words, program, said", [
    ([], [], wireshark.face_alone, "the program cloudflaredump was not found"),
    ([], ["--packet-limit", "none"], None, "packet-limit"),
    (["--answer", "GET /pcaps=403"], [], None, "403"),
    (["--answer", "GET /download=403"], [], None, "403"),
], ids=["no tool", "a bad option", "a refused list", "a refused download"])
def test_an_error_is_said_although_sigterm_follows_the_end_of_the_fifo(emulator, options, words,
                                                                       program, said):
    """tshark sends it as soon as the FIFO is closed."""
    client = Client(emulator(*INSTANT, *options), PATH="/usr/bin:/bin",
                    LD_PRELOAD=library_of(SLOW_CLOSE))
    run = ExtcapRun(client, None, *words, program=program and program())
    wait_until(lambda: run.read(1) is None, "the FIFO's end")
    assert run.process.poll() is None, "it has not been held up"
    send(run.process, SIGNALS["TERM"])
    assert said in run.finish(30).sentence


@pytest.mark.parametrize("signals", ["INT", "TERM"])
@pytest.mark.parametrize("phase", [phase_waiting, phase_polling, phase_downloading])
def test_tshark_is_stopped(emulator, large, phase, signals):
    """As by Ctrl-C: the signal goes to all processes of tshark's."""
    api, ready, options = phase(emulator, large)
    client = Client(api, **options)
    process = client.start(client.tshark_command(client.new_path()))
    try:
        wait_until(ready, phase.__name__)
        extcap = wait_until(lambda: extcap_of(process), "the extcap")
        started = time.monotonic()
        for number in SIGNALS[signals]:
            os.killpg(process.pid, number)
        _, err = finish(process, 30)
        report(f"tshark {phase.__name__} {signals}", time.monotonic() - started)
        assert "Error" not in err and "cloudflaredump" not in err, err
        wait_until(lambda: not os.path.exists(f"/proc/{extcap}"), "the extcap's end", BOUND)
    finally:
        kill_group(process)


def test_tshark_ends_after_a_number_of_packets(emulator, large):
    """tshark -c closes the pipe while we write: that is no error."""
    api = emulator("--job-seconds", 0, "--serve-as-is", large)
    capture = Client(api).tshark(None, "-c", "5")
    assert capture.returncode == 0 and len(capture.records) >= 5
    assert "Error" not in capture.stderr
