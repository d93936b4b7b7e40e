# SPDX-License-Identifier: GPL-2.0-or-later
"""A second real S3 server on loopback for tests: Ceph's radosgw with a monitor and a store in memory,
from Debian's packages ceph-mon, ceph-osd, radosgw and ceph-common. It knows bucket policies, session
tokens and encryption by a key service; Debian's awscli is how tests tell it.

    with RadosServer() as rados:
        rados.aws("s3api", "create-bucket", "--bucket", "pcaps")
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid

from s3_server import free_ports

AWS = "/usr/bin/aws"
PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

OWNER = ("AKIAOWNEROWNEROWNER0", "planted-secret-of-the-owner")
READER = ("AKIAREADERREADERREAD", "planted-secret-of-a-reader")

CONFIGURATION = """\
[global]
keyring = {root}/keyring
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon_port}]
auth allow insecure global id reclaim = false
admin socket =
log file = {root}/$name.log
mon data = {root}/mon
osd data = {root}/osd
osd objectstore = memstore
memstore device bytes = {store}
osd memory target = 939524096
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms_key}=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
rgw data = {root}/rgw
"""


def installed():
    """Whether the packages are there."""
    return all(shutil.which(name) for name in PROGRAMS) and os.path.exists(AWS)


class RadosServer:
    """Three processes, and one more for each gateway, for as long as the `with` block lasts."""

    def __init__(self, store=1 << 30):
        self._store = store  # bytes
        self._processes = []
        self._folder = None
        self._fsid = str(uuid.uuid4())
        self._mon_port, = free_ports(1)
        self.url = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="rados-")
        try:
            self._start_cluster()
            self.url = self.start_gateway("key-1")
            for name, (access_key, secret) in (("owner", OWNER), ("reader", READER)):
                self._run("radosgw-admin", "user", "create", "--uid", name, "--display-name", name,
                          "--access-key", access_key, "--secret-key", secret, "--caps", "roles=*")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._folder.cleanup()

    def environment(self, keys=OWNER, **changes):
        """What a program needs to read here; a value of None takes a variable away."""
        values = {"AWS_ENDPOINT_URL_S3": self.url, "AWS_ACCESS_KEY_ID": keys[0],
                  "AWS_SECRET_ACCESS_KEY": keys[1], "AWS_REGION": "us-east-1", **changes}
        return {name: value for name, value in values.items() if value is not None}

    def aws(self, *words, keys=OWNER):
        """Runs AWS's own tool against it; gives what it prints, as JSON."""
        done = subprocess.run([AWS, "--endpoint-url", self.url, "--output", "json", *words], check=True,
                              stdout=subprocess.PIPE, timeout=60,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
                                   "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1],
                                   "AWS_DEFAULT_REGION": "us-east-1"})
        return json.loads(done.stdout or "{}")

    def start_gateway(self, kms_key):
        """One more gateway to the same buckets, whose key service knows one key: its URL."""
        port, = free_ports(1)
        folder = self._root / f"gateway-{port}"
        folder.mkdir()
        configuration = self._configure(folder, kms_key)
        self._spawn("radosgw", "-n", "client.admin", "-f", "--rgw-frontends",
                    f"beast endpoint=127.0.0.1:{port}", configuration=configuration)
        url = f"http://127.0.0.1:{port}"
        self._wait_until(lambda: self._answers(url), 90)
        return url

    @property
    def _root(self):
        return pathlib.Path(self._folder.name)

    def _configure(self, folder, kms_key):
        path = folder / "ceph.conf"
        path.write_text(CONFIGURATION.format(root=self._root, fsid=self._fsid, kms_key=kms_key,
                                             mon_port=self._mon_port, store=self._store).replace(
            f"{self._root}/rgw", f"{folder}/rgw"))
        (folder / "rgw").mkdir()
        return path

    def _start_cluster(self):
        self._configure(self._root, "key-1")
        keyring, monitors = self._root / "keyring", self._root / "monitors"
        everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.",
                  "--cap", "mon", "allow *")
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *everything)
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "osd.0", "--cap", "mon",
                  "allow profile osd", "--cap", "osd", "allow *")
        self._run("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a",
                  f"[v1:127.0.0.1:{self._mon_port}]", monitors)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monitors, "--keyring", keyring)
        self._spawn("ceph-mon", "-i", "a", "-f")
        (self._root / "osd").mkdir()
        number = str(uuid.uuid4())
        self._run("ceph", "osd", "new", number)
        self._run("ceph", "auth", "add", "osd.0", "-i", keyring)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number)
        self._spawn("ceph-osd", "-i", "0", "-f")
        self._wait_until(lambda: " 1 up" in self._run("ceph", "osd", "stat"), 60)

    def _environment(self, configuration=None):
        return {**os.environ, "CEPH_CONF": str(configuration or self._root / "ceph.conf")}

    def _run(self, *command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=60, check=False, env=self._environment())
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr}")
        return done.stdout

    def _spawn(self, *command, configuration=None):
        self._processes.append(subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self._environment(configuration)))

    def _answers(self, url):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _wait_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
            if time.monotonic() > end:
                raise RuntimeError("Ceph does not start")
            time.sleep(0.1)
