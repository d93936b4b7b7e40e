# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures that are tortured, and what they deliver when nothing goes wrong."""

import collections
import datetime
import os
import pathlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import packets as p  # noqa: E402
from emulator import ACCOUNT, Emulator, Packet, read_pcap, write_pcap  # noqa: E402
from faults import TOKEN, split  # noqa: E402
from s3_server import ACCESS_KEY, SECRET_KEY, S3Server  # noqa: E402
from s3_server import installed as s3_is_there  # noqa: E402,F401

SPEED = 300  # of the program's clock: a stall limit of 30 s is 100 ms
LEISURE = 20  # of the same: to tell a defect from a machine that is busy, and for real servers
BUCKET, DIRECTORY = "pcaps", "some dir"


def work_folder(prefix):
    """A new folder, in memory where that is possible: the program syncs its state to the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=memory))


def traffic(count, size=8):
    """`count` packets of two hosts, a millisecond apart, those of the one like those of the other;
    some are cut, some occur twice."""
    start = (time.time_ns() // 10**9 - 60) * 10**9
    found = []
    for n in range(count):
        ends = (p.A, p.B) if n % 3 else (p.B, p.A)
        data = p.ip4(p.UDP, p.ports(1000 + n, 53, n.to_bytes(4, "big") + bytes(size)), *ends)
        found += [Packet(start + n * 10**6, data, None if n % 4 else 1500)] * (2 if n % 7 == 3 else 1)
    return found


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Reference:
    """A capture: `words` of the command line and `records` that it delivers, in their order.
    `targets` are the replies on the `tape` that a capture gets, by name."""

    name: str
    words: list
    records: list = field(default_factory=list)
    tape: object = None
    targets: dict = field(default_factory=dict)

    def downloads(self):
        """The capture files on the tape, one of each."""
        return [split(reply)[1] for row in self.tape.replies.values() for reply in row
                if split(reply)[1][:4] == b"\xd4\xc3\xb2\xa1"]


def records_of(*files):
    """(time, bytes, length) of all packets of several capture files, in time order."""
    found = [(packet.time, packet.data, packet.length) for file in files
             for packet in read_pcap(file)]
    return sorted(found, key=lambda record: record[0])


def joined(downloads):
    """What the requests of one window come to: each packet as often as the one that has it most."""
    most = collections.Counter()
    for file in downloads:
        most |= collections.Counter(records_of(file))
    return sorted(most.elements())


class World:
    """The servers that answer: an emulator for samples, one for full captures, and its S3 server."""

    def __init__(self, full=True):
        self.folder = work_folder("cloudflaredump-torture-")
        self.s3 = S3Server() if full else None
        self.emulators = {}

    def __enter__(self):
        if self.s3 is not None:
            self.s3.__enter__()
            self.s3.create_bucket(BUCKET)
        return self

    def __exit__(self, *_):
        for one in self.emulators.values():
            one.stop()
        if self.s3 is not None:
            self.s3.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ports(self, name):
        """Where the servers of a reference listen: {"api": port, "s3": port}."""
        api = int(self.emulators[name].url.split(":")[2].split("/")[0])
        return {"api": api, "s3": self.s3.port if self.s3 is not None else 9}

    def _start(self, name, *options, environment=None):
        old = self.emulators.pop(name, None)
        if old is not None:
            old.stop()
        self.emulators[name] = Emulator("--token", TOKEN, *options, environment=environment).start()

    def sample(self, name="sample", count=12):
        """A sample by two requests over one window, of `count` packets or so."""
        file = write_pcap(self.folder / f"{name}.pcap", traffic(count))
        self._start(name, "--sample-interval", 0, "--job-seconds", 0.01, "--packets", file)
        now = time.time()
        return Reference(name, ["-i", "cloudflare-sample", "-f", f"host {p.B} and udp",
                                "--start-time", rfc3339(now - 120), "--end-time", rfc3339(now - 1)])

    def full(self, name="full", count=14):
        """A full capture of two parts in the bucket of a real S3 server."""
        file = write_pcap(self.folder / f"{name}.pcap", traffic(count))
        destination = f"s3://{BUCKET}/{DIRECTORY}?region={self.s3.region}"
        self._start(name, "--registered", destination, "--packets", file, "--parts", 2,
                    "--speed", 20, "--job-seconds", 0.2, environment=self.s3.environment())
        return Reference(name, ["-i", "cloudflare-ORD", "--time-limit", "2",
                                "--destination-conf", destination])


def environment(home, ports, speed=SPEED):
    """Of the program, for servers behind the proxy at `ports`."""
    # Loaders of sanitizers and coverage are handed on.
    kept = {name: value for name, value in os.environ.items()
            if name.startswith(("ASAN_", "UBSAN_", "LSAN_", "GCOV_"))}
    return {
        **kept,
        "HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC",
        "XDG_STATE_HOME": f"{home}/state", "TMPDIR": str(home),
        "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{ports['api']}/client/v4",
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT, "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLAREDUMP_SPEED": str(speed),
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
    }


CONFIGURATION = "[default]\nsample-interval=0\nlisting-interval=1\nretry-time=120\nmax-wait=1200\n"
