# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator of Cloudflare's PCAPs API as tests use it, and the pcap files that they exchange."""

import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CLOUDFLAREDUMP_BUILD", ROOT / "build"))
PROGRAM = BUILD / "tests" / "cloudflare-emulator"

ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "emulator-token"


class Reply:
    """An answer: status, headers, and the body as bytes or as JSON."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        assert self.json["success"], self.body
        return self.json["result"]

    @property
    def code(self):
        return self.json["errors"][0]["code"]

    @property
    def message(self):
        return self.json["errors"][0]["message"]


class Emulator:
    """`with Emulator("--speed", 10) as api:` runs one; `api.url` is its base URL.

    A log is always kept; `api.log()` gives its entries. `environment` is added to ours.
    """

    def __init__(self, *options, environment=None):
        self.options = [str(option) for option in options]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.url = None
        self._folder = None

    def start(self):
        self._folder = tempfile.TemporaryDirectory(prefix="emulator-")
        self.log_file = pathlib.Path(self._folder.name) / "log"
        argv = [str(PROGRAM), "--listen", "127.0.0.1:0", "--log", str(self.log_file)]
        self.process = subprocess.Popen(
            argv + self.options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError("the emulator did not start: " + self.process.stderr.read())
        self.url = line.removeprefix("listening on ").strip()
        return self

    def stop(self):
        """Ends the emulator; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        self._folder.cleanup()
        return self.process.returncode

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def log(self):
        if not self.log_file.exists():
            return []
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def request(self, method, path, body=None, headers=None, token=TOKEN):
        """One request; `path` is under the base. `body` is bytes, or anything else as JSON."""
        sent = {}
        if token is not None:
            sent["Authorization"] = "Bearer " + token
        if body is not None:
            sent["Content-Type"] = "application/json"
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
        sent.update(headers or {})
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            return Reply(answer.code, answer.headers, answer.read())

    def pcaps(self, method="GET", rest="", body=None, **more):
        """One request under /accounts/ACCOUNT/pcaps."""
        return self.request(method, f"/accounts/{ACCOUNT}/pcaps{rest}", body, **more)

    def create(self, **fields):
        """Asks for a sample; fields that are None are left out."""
        body = {"type": "simple", "system": "magic-transit", "time_limit": 300,
                "packet_limit": 10000, **fields}
        return self.pcaps("POST", "", {k: v for k, v in body.items() if v is not None})

    def create_full(self, **fields):
        """Asks for a full capture; fields that are None are left out."""
        body = {"type": "full", "system": "magic-transit", "time_limit": 60, "colo_name": "ORD",
                "destination_conf": "s3://bucket/folder?region=us-east-1", **fields}
        return self.pcaps("POST", "", {k: v for k, v in body.items() if v is not None})

    def wait(self, capture_id, *words, seconds=30):
        """Polls until the status is one of `words`; returns the capture."""
        words = words or ("success", "complete", "failed")
        for _ in range(int(seconds / 0.02)):
            capture = self.pcaps(rest="/" + capture_id).result
            if capture["status"] in words:
                return capture
            time.sleep(0.02)
        raise AssertionError(f"still {capture['status']} after {seconds} s")

    def download(self, capture_id):
        return self.pcaps(rest=f"/{capture_id}/download")

    def sample(self, **fields):
        """A whole sample: asked for, waited for, downloaded and read."""
        reply = self.create(**fields)
        assert reply.status == 200, reply.body
        self.wait(reply.result["id"])
        answer = self.download(reply.result["id"])
        assert answer.status == 200, answer.body
        return read_pcap(answer.body)


class Emulators:
    """`emulators(*options)` starts one more; `emulators.stop()` ends them all."""

    def __init__(self):
        self._started = []

    def __call__(self, *options, **more):
        self._started.append(Emulator(*options, **more).start())
        return self._started[-1]

    def stop(self):
        while self._started:
            one = self._started.pop()
            one.process.send_signal(signal.SIGCONT)  # a test may have held it
            one.stop()


class Packet:
    """One record: time in nanoseconds since 1970, the bytes, the length on the wire."""

    def __init__(self, time, data, length=None):
        self.time = time
        self.data = data
        self.length = len(data) if length is None else length

    def __eq__(self, other):
        return (self.time, self.data, self.length) == (other.time, other.data, other.length)

    def __repr__(self):
        return f"Packet({self.time}, {self.data.hex()}, {self.length})"


class Pcap(list):
    """The packets of a classic pcap file, and its form."""

    def __init__(self, packets=(), link_type=101, nanoseconds=False, big_endian=False,
                 snap_length=262144):
        super().__init__(packets)
        self.link_type = link_type
        self.nanoseconds = nanoseconds
        self.big_endian = big_endian
        self.snap_length = snap_length


def read_pcap(data):
    """Reads classic pcap strictly: anything odd is an AssertionError."""
    magics = {0xA1B2C3D4: False, 0xA1B23C4D: True}
    order = ">" if struct.unpack(">I", data[:4])[0] in magics else "<"
    magic, major, minor, zone, sigfigs, snap, link_type = struct.unpack(order + "IHHiIII", data[:24])
    assert (major, minor, zone, sigfigs) == (2, 4, 0, 0)
    file = Pcap([], link_type, magics[magic], order == ">", snap)
    at = 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        assert at + captured <= len(data) and captured <= snap and captured <= length
        scale = 1 if file.nanoseconds else 1000
        assert fraction * scale < 10**9
        file.append(Packet(seconds * 10**9 + fraction * scale, data[at:at + captured], length))
        at += captured
    return file


def write_pcap(path, packets, link_type=101, nanoseconds=False, big_endian=False):
    """Writes classic pcap; returns the path as text."""
    order = ">" if big_endian else "<"
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    data = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for packet in packets:
        seconds, rest = divmod(packet.time, 10**9)
        data.append(struct.pack(order + "IIII", seconds, rest if nanoseconds else rest // 1000,
                                len(packet.data), packet.length))
        data.append(packet.data)
    pathlib.Path(path).write_bytes(b"".join(data))
    return str(path)
