# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody who captures from an emulated account, with tshark or with the tool."""

import collections
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import libpcap
import wireshark
from emulator import ACCOUNT, TOKEN, read_pcap
from pcapng import read_pcapng

SAMPLE = "cloudflare-sample"

# Under AddressSanitizer (tests/sanitize) no other library can be preloaded, as libfaketime is, and
# the plugin is that of another build.
SANITIZED = "ASAN_OPTIONS" in os.environ

# Emulator options: no waits at all. Client() then configures the program to need none either.
INSTANT = ("--sample-interval", 0, "--job-seconds", 0)


def finish(process, timeout=60):
    """(stdout, stderr) of a process started with its own session. If it does not end in time, it
    and all that it started are killed, and that is a failure of the test."""
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, err = process.communicate()
        raise AssertionError(f"still running after {timeout} s; {out=} {err=}") from None


def kill_group(process):
    """Ends a process started with its own session, and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_until(condition, what, seconds=20, pause=0.01):
    """Waits for `condition()` to be true, asked every `pause` seconds; returns what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def wait_until_caught(process, number):
    """Waits until the process has a handler for the signal: before, while it is being loaded, the
    signal would end it."""
    def caught():
        status = Path(f"/proc/{process.pid}/status").read_text()
        mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return int(mask.split()[1], 16) >> (number - 1) & 1
    wait_until(caught, f"a handler of signal {number}")


def record(packet):
    """What makes a packet the same in a pcap and in a pcapng file."""
    return packet.time, packet.data, packet.length


def as_words(options):
    """{"packet_limit": 5} as the program's own words, separate as Wireshark passes them."""
    return [str(word) for name, value in options.items()
            for word in ("--" + name.replace("_", "-"), value)]


def as_preferences(options):
    """The same for tshark's command line."""
    return [word for name, value in options.items()
            for word in ("-o", f"extcap.cloudflare_sample.{name.replace('_', '')}:{value}")]


def requests_of(api, method=None, ending=None):
    """The emulator's log entries of one method whose path ends so."""
    return [entry for entry in api.log()
            if method in (None, entry["method"]) and entry["path"].endswith(ending or "")]


def downloads_of(api):
    """What the emulator served, asked for again: a list of packets for each download, in order."""
    ids = [entry["path"].split("/")[-2] for entry in requests_of(api, "GET", "/download")
           if entry["status"] == 200]
    return [read_pcap(api.download(pcap_id).body) for pcap_id in ids]


def expected_records(downloads, capture_filter):
    """Counter of the records that requests of one window should come to: each that the filter
    accepts, as often as the request that has it most often."""
    accepts = libpcap.Filter(capture_filter).accepts if capture_filter else lambda *_: True
    expected = collections.Counter()
    for packets in downloads:
        assert packets.link_type == 101, "the filter is compiled for raw IP"
        expected |= collections.Counter(record(packet) for packet in packets
                                        if accepts(packet.data, packet.length))
    return expected


@dataclass
class Captured:
    """A capture that has ended, by tshark or the tool."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    path: object  # of the file that it was to write
    fifo_was_opened: bool | None = None  # of an ExtcapRun

    @property
    def section(self):
        sections = read_pcapng(self.path)
        assert len(sections) == 1
        return sections[0]

    @property
    def records(self):
        return [record(packet) for packet in self.section.packets]

    @property
    def sentence(self):
        """Our part of what was printed: of tshark's what it says came from the extcap; of the
        tool's and the extcap's own the one line that there is."""
        for introduction in ("Error by extcap pipe: ", "Error from extcap pipe: "):
            if introduction in self.stderr:
                return self.stderr.split(introduction)[1].strip().split("\n")[0].strip()
        lines = self.stderr.strip().split("\n")
        assert len(lines) == 1, self.stderr
        return lines[0].removeprefix("cloudflaredump: ")


class Client:
    """Captures with a home and an environment of its own, pointed at `api` (an Emulator, or the
    URL of something else). `speed` is the program's clock; `instant` sets the pace of samples to
    none. `variables` change the environment; None takes one away."""

    def __init__(self, api, speed=1, instant=True, plugin=True, **variables):
        self.folder = wireshark.open_folder()
        self.files = 0
        settings = {
            "CLOUDFLARE_API_BASE_URL": api if isinstance(api, str) else api.url,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "AWS_EC2_METADATA_DISABLED": "true",  # or AWS's own tool looks for a machine of theirs
            "CLOUDFLAREDUMP_SPEED": None if speed == 1 else speed,
            **variables,
        }
        self.env = wireshark.environment(home=self.folder, plugin=plugin, **settings)
        self.config = self.folder / ".config/cloudflaredump/config.ini"
        if instant:
            self.configure("[default]\nsample-interval=0\n")

    def configure(self, text, mode=0o644):
        """Writes the configuration file; with mode 0600 the program's user owns it."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(mode)
        if os.geteuid() == 0:
            os.chown(self.config, wireshark.NOBODY, wireshark.NOBODY)

    def new_path(self, name="out.pcapng"):
        self.files += 1
        return self.folder / f"{self.files}-{name}"

    def start(self, command, **options):
        """Starts a command as a normal user in a session of its own; see finish()."""
        return wireshark.start(command, self.env,
                               **{"start_new_session": True, "cwd": self.folder, **options})

    def run(self, command, timeout=60, path=None, **options):
        """Runs a command to its end."""
        start = time.monotonic()
        process = self.start(command, **options)
        out, err = finish(process, timeout)
        return Captured(process.returncode, out, err, time.monotonic() - start, path)

    @property
    def tool_path(self):
        return wireshark.stage().tool

    @property
    def face_path(self):
        return wireshark.stage().extcap_dir / "cloudflaredump"

    def tool(self, *arguments, **options):
        """Runs the tool."""
        return self.run([self.tool_path, *arguments], **options)

    def tshark_command(self, path, capture_filter=None, *arguments, interface=SAMPLE):
        filter_words = [] if capture_filter is None else ["-f", capture_filter]
        return ["tshark", "-i", interface, *filter_words, "-w", path, *arguments]

    def capture_command(self, path, capture_filter=None, *arguments, interface=SAMPLE):
        filter_words = [] if capture_filter is None else ["-f", capture_filter]
        return [self.tool_path, "capture", "-i", interface, *filter_words, "-w", path, *arguments]

    def tshark(self, capture_filter=None, *arguments, timeout=60, **options):
        """Captures into a new file with tshark."""
        path = self.new_path()
        return self.run(self.tshark_command(path, capture_filter, *arguments, **options), timeout,
                        path)

    def capture(self, capture_filter=None, *arguments, timeout=60, **options):
        """Captures into a new file with the tool."""
        path = self.new_path()
        return self.run(self.capture_command(path, capture_filter, *arguments, **options), timeout,
                        path)

    def extcap(self, capture_filter=None, timeout=60, **options):
        """Captures as Wireshark does, but with a FIFO of the test's and without Wireshark: much
        sooner done. Options by name as for both()."""
        return ExtcapRun(self, capture_filter, *as_words(options)).finish(timeout)

    def both(self, capture_filter=None, timeout=60, **options):
        """The same capture by tshark and by the tool; packet_limit=5 is such an option."""
        return (self.tshark(capture_filter, *as_preferences(options), timeout=timeout),
                self.capture(capture_filter, *as_words(options), timeout=timeout))


class ExtcapRun:
    """The extcap run as Wireshark runs it for a capture; the test is the FIFO's reader."""

    def __init__(self, client, capture_filter=None, *words, reader=True, interface=SAMPLE,
                 program=None):
        self.fifo = client.new_path("fifo")
        self.path = client.new_path("extcap.pcapng")
        os.mkfifo(self.fifo)
        self.fifo.chmod(0o666)
        self.data = b""
        self._fd = None
        if reader:
            self.open_reader()
        filter_words = [] if capture_filter is None else ["--extcap-capture-filter", capture_filter]
        self.started = time.monotonic()
        self.process = client.start([program or client.face_path, "--capture",
                                     "--extcap-interface", interface, *filter_words,
                                     "--fifo", self.fifo, *words])

    def open_reader(self):
        self._fd = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)

    def close_reader(self):
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None

    def read(self, timeout=0.05):
        """Takes what is there, and keeps it in `data`; None when the writer has closed."""
        watch = select.poll()
        watch.register(self._fd, select.POLLIN)
        # Linux reports a hang-up only after somebody has opened the FIFO for writing.
        events = sum(event for _, event in watch.poll(timeout * 1000))
        if not events & select.POLLIN:
            return None if events & select.POLLHUP else b""
        taken = os.read(self._fd, 1 << 16)
        self.data += taken
        return taken

    def finish(self, timeout=60):
        """Reads to the end and waits for the process's: a Captured."""
        opened = False
        end = time.monotonic() + timeout
        while self._fd is not None and time.monotonic() < end:
            ended = self.process.poll() is not None
            taken = self.read()
            opened = taken is None
            if opened or (ended and not taken):
                break
        out, err = finish(self.process, max(0.1, end - time.monotonic()))
        seconds = time.monotonic() - self.started
        self.close_reader()
        if self.data:
            self.path.write_bytes(self.data)
        return Captured(self.process.returncode, out, err, seconds, self.path, opened)
