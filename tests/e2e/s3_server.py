# SPDX-License-Identifier: GPL-2.0-or-later
"""A real S3 server on loopback for tests: OpenStack Swift with s3api, from Debian's packages
swift-proxy, swift-account, swift-container and swift-object. It checks SigV4 signatures.

    with S3Server() as s3:
        s3.create_bucket("pcaps")
        s3.put("pcaps", "dir/key", b"bytes")
        subprocess.run([...], env={**os.environ, **s3.environment()})
"""

import datetime
import getpass
import hashlib
import hmac
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
PARTS = ("object", "container", "account")

#: Access keys and what they may do. The owner of the account, and one who may do nothing in it.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "planted/S3cret+KEY/not/to/be/seen/anywhere"
R2_KEY = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
#: As R2 makes it of an API token, here the emulator's.
R2_SECRET = hashlib.sha256(b"emulator-token").hexdigest()
GCS_KEY = "GOOG1EXAMPLE0123456789"
GCS_SECRET = "planted/secret+of/google"
STRANGER_KEY = "AKIAI44QH8DHBEXAMPLE"
STRANGER_SECRET = "planted-secret-of-one-who-may-do-nothing"

BACKEND = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}
devices = {root}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
log_level = WARNING
log_address = /nonexistent
recon_cache_path = {root}/cache
[pipeline:main]
pipeline = {part}-server
[app:{part}-server]
use = egg:swift#{part}
"""

PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}
log_level = INFO
log_address = /nonexistent
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats bulk s3api auth slo dlo copy proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A busy machine is no reason to give a server up.
conn_timeout = 30
node_timeout = 60
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
max_bucket_listing = {page_size}
s3_acl = false
allow_no_owner = true
check_bucket_owner = false
[filter:auth]
paste.filter_factory = s3_auth:filter_factory
user_pcaps_owner = unused .admin
user_pcaps_stranger = unused
key_{access_key} = pcaps:owner {secret_key}
key_{r2_key} = pcaps:owner {r2_secret}
key_{gcs_key} = pcaps:owner {gcs_secret}
key_{stranger_key} = pcaps:stranger {stranger_secret}
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:copy]
use = egg:swift#copy
"""

CLUSTER = """\
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = only
default = yes
"""


def installed():
    """Whether the packages are there."""
    return all(shutil.which(f"swift-{part}-server") for part in (*PARTS, "proxy"))


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class S3Server:
    """Four processes and a folder, for as long as the `with` block lasts."""

    def __init__(self, region="us-east-1", page_size=1000):
        self.region = region
        self.page_size = page_size
        self.port = None
        self._processes = []
        self._root = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **changes):
        """What a program needs to read here; a value of None takes a variable away."""
        values = {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": self.region,
            "R2_ENDPOINT_URL": self.url,
            "R2_ACCESS_KEY_ID": R2_KEY,
            "R2_SECRET_ACCESS_KEY": R2_SECRET,
            "GCS_ENDPOINT_URL": self.url,
            "GCS_ACCESS_KEY_ID": GCS_KEY,
            "GCS_SECRET_ACCESS_KEY": GCS_SECRET,
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        if self._root:
            shutil.rmtree(self._root, ignore_errors=True)

    def _start(self):
        self._root = pathlib.Path(tempfile.mkdtemp(prefix="cloudflaredump-s3-"))
        for folder in ("devices/d1", "cache", "log"):
            (self._root / folder).mkdir(parents=True)
        (self._root / "swift.conf").write_text(CLUSTER)
        self.port, *ports = free_ports(1 + len(PARTS))
        common = {"root": self._root, "user": getpass.getuser()}
        for part, port in zip(PARTS, ports):
            self._write(part, BACKEND.format(part=part, port=port, **common))
            self._make_ring(part, port)
            self._spawn(part)
        self._write("proxy", PROXY.format(
            port=self.port, region=self.region, page_size=self.page_size, access_key=ACCESS_KEY,
            secret_key=SECRET_KEY, stranger_key=STRANGER_KEY, stranger_secret=STRANGER_SECRET,
            r2_key=R2_KEY, r2_secret=R2_SECRET, gcs_key=GCS_KEY, gcs_secret=GCS_SECRET,
            **common))
        self._spawn("proxy")
        for port in (*ports, self.port):
            self._wait_until_ready(port)

    def _write(self, part, text):
        (self._root / f"{part}-server.conf").write_text(text)

    def _make_ring(self, part, port):
        """By Swift's own tool: its modules, imported here, may replace this process's threads."""
        for command in (["create", "4", "1", "0"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"],
                        ["rebalance"]):
            subprocess.run(["swift-ring-builder", self._root / f"{part}.builder", *command],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def _spawn(self, part):
        with open(self._root / "log" / part, "wb") as log:
            self._processes.append(subprocess.Popen(
                [f"swift-{part}-server", self._root / f"{part}-server.conf", "-v"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(HERE)}))

    def _wait_until_ready(self, port):
        end = time.monotonic() + 60
        while time.monotonic() < end and all(one.poll() is None for one in self._processes):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/healthcheck")
                connection.getresponse()
                return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        logs = "\n".join(path.read_text()[-2000:] for path in (self._root / "log").iterdir())
        raise RuntimeError(f"the S3 server did not start:\n{logs}")

    # ---- what a test puts there

    def create_bucket(self, bucket):
        self._expect(200, "PUT", f"/{bucket}")

    def put(self, bucket, key, body):
        self._expect(200, "PUT", self._path(bucket, key), body)

    def delete(self, bucket, key):
        self._expect(204, "DELETE", self._path(bucket, key))

    @staticmethod
    def _path(bucket, key):
        return f"/{bucket}/" + urllib.parse.quote(key, safe="/-._~")

    def _expect(self, status, method, path, body=b""):
        got, text = self.request(method, path, body)
        if got != status:
            raise RuntimeError(f"{method} {path}: {got} {text.decode(errors='replace')}")

    def request(self, method, path, body=b""):
        """A request signed by the test's own code (AWS Signature Version 4, no query)."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host = f"127.0.0.1:{self.port}"
        headers = {"host": host, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
                   "x-amz-date": now}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        to_sign = (f"AWS4-HMAC-SHA256\n{now}\n{scope}\n"
                   + hashlib.sha256(canonical.encode()).hexdigest())
        key = f"AWS4{SECRET_KEY}".encode()
        for word in scope.split("/"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, "
                                    f"SignedHeaders={names}, Signature={signature}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
