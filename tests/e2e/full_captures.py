# SPDX-License-Identifier: GPL-2.0-or-later
"""Full captures as a user makes them, with a folder or a real S3 server as the bucket."""

import collections
import heapq
import os
import subprocess
import urllib.parse
import xml.etree.ElementTree

import packets as p
import wireshark
from capturing import Captured, Client, finish, record, requests_of
from emulator import Packet, read_pcap

FULL, DOWNLOAD = "cloudflare-full", "cloudflare-download"

# The emulator's clock: a capture of 20 s is over in one.
QUICK = ("--job-seconds", 0.2, "--speed", 20)
# The program's clock. It polls, and lists the bucket, so much more often; it also gives a silent
# server up so much earlier, which on a busy machine is too early for a real one at 50.
SPEED, S3_SPEED = 50, 10


def numbered(count, step=1001, size=0, protocol=p.UDP):
    """Different packets, `step` nanoseconds apart."""
    return [Packet(10**18 + n * step,
                   p.ip4(protocol, p.ports(1111, 53, n.to_bytes(4, "big") + bytes(size))),
                   None if n % 5 else 1500)
            for n in range(count)]


class Folder:
    """A folder as a bucket; `read(pcap_id)` gives {key: bytes}."""

    speed = SPEED

    def __init__(self):
        self.path = wireshark.open_folder("cloudflaredump-bucket-")
        self.destination = f"file://{self.path}"
        self.environment = {}

    def read(self, pcap_id=""):
        return {str(file.relative_to(self.path)): file.read_bytes()
                for file in self.path.rglob("*") if file.is_file() and pcap_id in str(file)}


class S3Bucket:
    """A bucket of a server of s3_server.S3Server."""

    speed = S3_SPEED

    def __init__(self, server, name, scheme="s3", directory="some dir", query=None):
        self.server, self.name = server, name
        server.create_bucket(name)
        query = {"s3": f"?region={server.region}", "gs": ""}[scheme] if query is None else query
        self.destination = f"{scheme}://{name}/{directory}{query}"
        self.environment = server.environment()

    def read(self, pcap_id=""):
        status, body = self.server.request("GET", f"/{self.name}")
        assert status == 200, body
        keys = [element.text for element in xml.etree.ElementTree.fromstring(body).iter()
                if element.tag.endswith("}Key")]
        return {key: self.server.request("GET", f"/{self.name}/"
                                         + urllib.parse.quote(key, safe="/-._~"))[1]
                for key in keys if pcap_id in key}


def emulator_of(emulator, bucket, *options):
    """An emulator that may write to `bucket`."""
    return emulator("--registered", bucket.destination, *QUICK, *options,
                    environment=bucket.environment)


class FullClient(Client):
    """Somebody who makes full captures into `bucket`."""

    def __init__(self, api, bucket, **more):
        super().__init__(api, **{"speed": bucket.speed, "instant": False, **bucket.environment, **more})
        self.bucket = bucket

    def words(self, interface, time_limit=2, **options):
        """The tool's words of a full capture."""
        options = {"destination_conf": self.bucket.destination, "time_limit": time_limit, **options}
        if interface == FULL:
            options = {"colo": "ORD", **options}
        return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()
                if value is not None]

    def full(self, capture_filter=None, interface=FULL, timeout=60, prefix=(), **options):
        """A full capture with the tool, run by the command `prefix` if there is one."""
        path = self.new_path()
        command = self.capture_command(path, capture_filter, *self.words(interface, **options),
                                       interface=interface)
        return self.run([*prefix, *command], timeout, path)

    def preferences(self, interface, **options):
        """tshark's words of a full capture."""
        name = interface.lower().replace("-", "_")
        return [word for pair in self.words(interface, **options) for word in (
            "-o", "extcap.{}.{}:{}".format(
                name, *(part if n else part[2:].replace("-", "")
                        for n, part in enumerate(pair.split("=", 1)))))]

    def full_tshark(self, capture_filter=None, interface=FULL, timeout=60, **options):
        """The same with tshark."""
        return self.tshark(capture_filter, *self.preferences(interface, **options),
                           interface=interface, timeout=timeout)

    def download(self, pcap_id=None, *words, timeout=60):
        """An earlier capture; the newest one unless an id is given. A folder is named, for one that
        only the API names is not read."""
        id_words = [] if pcap_id is None else [f"--pcap-id={pcap_id}"]
        if isinstance(self.bucket, Folder) and not any("--read-from" in word for word in words):
            id_words.append(f"--read-from={self.bucket.path}")
        return self.capture(None, *id_words, *words, interface=DOWNLOAD, timeout=timeout)

    def start_full(self, *extra, interface=FULL, **options):
        """Starts a full capture with the tool: (process, path)."""
        path = self.new_path()
        return self.start([self.tool_path, "capture", "-i", interface, "-w", path, *extra,
                           *self.words(interface, **options)]), path

    def start_face(self, *extra, interface=FULL, **options):
        """Starts the extcap as Wireshark does, with a reader of the FIFO that stays."""
        return Face(self, interface, [*extra, *self.words(interface, **options)])


class Face:
    """The extcap with a reader that writes what comes to a file."""

    def __init__(self, client, interface, words):
        fifo, self.path = client.new_path("fifo"), client.new_path()
        os.mkfifo(fifo)
        fifo.chmod(0o666)
        with open(self.path, "wb") as file:
            self._reader = subprocess.Popen(["cat", fifo], stdin=subprocess.DEVNULL, stdout=file)
        self.process = client.start([client.face_path, "--capture", "--extcap-interface", interface,
                                     "--fifo", fifo, *words])

    def finish(self, timeout=60):
        try:
            out, err = finish(self.process, timeout)
            self._reader.wait(30)
        finally:
            self._reader.kill()
        return Captured(self.process.returncode, out, err, 0, self.path)


def end_of(process, path, timeout=60):
    """Captured, of a started tool."""
    out, err = finish(process, timeout)
    return Captured(process.returncode, out, err, 0, path)


def ids_of(api):
    """The full captures that the emulator knows, newest first."""
    return [job["id"] for job in api.pcaps().result or [] if job["type"] == "full"]


def posts(api):
    return [entry for entry in requests_of(api, "POST", "/pcaps")]


def stops(api):
    """Ids whose stop was asked for."""
    return [entry["path"].split("/")[-2] for entry in requests_of(api, "PUT", "/stop")]


def merged(objects):
    """[(key, record)] as they should come: in time order, parts in the order of their keys."""
    parts = [[(key, record(packet)) for packet in read_pcap(objects[key])]
             for key in sorted(objects, key=str.encode)]
    return list(heapq.merge(*parts, key=lambda pair: pair[1][0]))




def tshark_fields(captured, *fields):
    """A tuple of texts for each packet, as the plugin shows them."""
    words = [word for field in fields for word in ("-e", field)]
    text = wireshark.tshark(["-r", captured.path, "-T", "fields", "-E", "occurrence=a", *words])
    return [tuple(line.split("\t")) for line in text.split("\n")[:-1]]


def check_same(found, expected):
    """Two long lists are equal; says where they are not, for pytest's own diff takes minutes."""
    for number, (one, other) in enumerate(zip(found, expected)):
        if one != other:
            raise AssertionError(f"number {number} of {len(found)}: {one}, but expected {other}")
    if len(found) != len(expected):
        raise AssertionError(f"{len(found)}, but expected {len(expected)}")


def check_whole(captured, objects):
    """Every packet of every object once, in time order, with the part it came from."""
    expected = merged(objects)
    names = sorted(objects, key=str.encode)
    check_same(captured.records, [one for _, one in expected])
    shown = tshark_fields(captured, "cloudflare.file", "cloudflare.files", "cloudflare.object",
                          "cloudflare.damaged")
    numbers = {key: str(number) for number, key in enumerate(names, 1)}
    check_same(shown, [(numbers[key], str(len(names)), key, "") for key, _ in expected])


def check_rest(captured, expected_records):
    """So much arrived, each once and in time order."""
    assert collections.Counter(captured.records) == collections.Counter(expected_records)
    times = [one[0] for one in captured.records]
    assert times == sorted(times)


def check_nowhere(client, secrets, *texts):
    """No text and no file that came to be under the client's home holds one of `secrets`."""
    for text in texts:
        assert not [secret for secret in secrets if secret in text], text
    for folder, _, files in os.walk(client.folder):
        for path in (os.path.join(folder, name) for name in files):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    data = file.read()
                assert not [secret for secret in secrets if secret.encode() in data], path


