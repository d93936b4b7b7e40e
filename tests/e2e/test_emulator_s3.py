# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator writes to an S3 server: signed as S3 demands, under the right names."""

import hashlib
import hmac
import re
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from emulator import Emulator, read_pcap

QUICK = ("--job-seconds", 0.2, "--speed", 20)


def sign(secret, day, region, text):
    key = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Takes PUTs whose Signature Version 4 is right (AWS General Reference, "Signature V4")."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        problem = self.problem(body)
        if not problem:
            self.server.objects[urllib.parse.unquote(self.path)] = body
            self.server.tokens.add(self.headers["x-amz-security-token"])
        else:
            self.server.problems.append(problem)
        self.send_response(self.server.status or (403 if problem else 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def problem(self, body):
        if hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            return "wrong x-amz-content-sha256"
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/(\S+?)/s3/aws4_request, "
            r"SignedHeaders=(\S+), Signature=([0-9a-f]{64})", self.headers["Authorization"])
        if not match:
            return "no signature: " + self.headers["Authorization"]
        access, day, region, signed, signature = match.groups()
        if self.server.keys.get(access) is None or region != self.server.region:
            return f"unknown key {access} or wrong region {region}"
        names = signed.split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
            return "unsigned headers: " + signed
        canonical = "\n".join([
            "PUT", self.path, "", *[f"{n}:{self.headers[n].strip()}" for n in names], "", signed,
            self.headers["x-amz-content-sha256"]])
        text = "\n".join([
            "AWS4-HMAC-SHA256", self.headers["x-amz-date"], f"{day}/{region}/s3/aws4_request",
            hashlib.sha256(canonical.encode()).hexdigest()])
        right = sign(self.server.keys[access], day, region, text)
        return None if right == signature else "wrong signature"

    def log_message(self, *_):
        pass


@pytest.fixture
def s3():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.keys = {"AKIATEST": "secret/key+1", "r2id": "r2secret"}
    server.region = "us-east-1"
    server.objects, server.problems, server.tokens, server.status = {}, [], set(), None
    server.environment = {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret/key+1",
        "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_ENDPOINT_URL": ""}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def run(s3, conf, *options, environment=None):
    with Emulator("--registered", conf, *QUICK, *options,
                  environment={**s3.environment, **(environment or {})}) as api:
        shown = api.pcaps(rest="/ownership").result[0]["destination_conf"]
        capture = api.create_full(destination_conf=shown, time_limit=20).result
        return api.wait(capture["id"])


@pytest.mark.parametrize("conf, folder", [
    ("s3://bucket?region=us-east-1", "/bucket/"),
    ("s3://bucket/a/b?region=us-east-1", "/bucket/a/b/"),
    ("s3://bucket/a b+c?region=us-east-1", "/bucket/a b+c/"),
    ("gs://bucket/dir", "/bucket/dir/"),
    ("r2://bucket?account-id=1&access-key-id=r2id&secret-access-key=r2secret", "/bucket/"),
])
def test_parts_are_put_into_the_bucket(s3, conf, folder):
    done = run(s3, conf, "--parts", 4)
    assert done["status"] == "success" and s3.problems == []
    names = [f"{folder}pcap_{done['id']}_m000{i}.pcap" for i in range(1, 5)]
    assert sorted(s3.objects) == names
    assert sum(len(read_pcap(s3.objects[n])) for n in names) == done["packets_captured"] > 0


def test_odd_names_are_escaped_once(s3):
    done = run(s3, "s3://bucket?region=us-east-1", "--parts", 1,
               "--part-name", "é (1)&=%41+{id}~.pcap")
    assert list(s3.objects) == [f"/bucket/é (1)&=%41+{done['id']}~.pcap"] and s3.problems == []


def test_regions_and_session_tokens(s3):
    s3.region = "eu-west-1"
    assert run(s3, "s3://bucket?region=eu-west-1")["status"] == "success"
    done = run(s3, "s3://bucket?region=us-east-1",
               environment={"AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": "session"})
    assert done["status"] == "success" and s3.tokens == {None, "session"}


@pytest.mark.parametrize("environment, status", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, None), ({"AWS_REGION": "eu-west-1"}, None), ({}, 503)])
def test_what_the_server_refuses_fails_the_capture(s3, environment, status):
    s3.status = status
    done = run(s3, "s3://bucket?region=us-east-1", environment=environment)
    assert done["status"] == "failed" and "status" in done["error_message"]
    assert "secret" not in done["error_message"]


def test_the_challenge_is_put_into_the_bucket(s3):
    with Emulator(environment=s3.environment) as api:
        conf = {"destination_conf": "s3://bucket/dir?region=us-east-1"}
        added = api.pcaps("POST", "/ownership", conf).result
        name = "/bucket/dir/" + added["filename"]
        while name not in s3.objects:
            time.sleep(0.02)
        content = s3.objects[name].decode()
        proof = {**conf, "ownership_challenge": content.strip()}
        assert api.pcaps("POST", "/ownership/validate", proof).result["status"] == "success"


def test_it_ends_at_once_while_a_server_hangs(s3):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {**s3.environment,
                       "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        api = Emulator("--registered", "s3://bucket?region=us-east-1", *QUICK,
                       environment=environment).start()
        capture = api.create_full(destination_conf="s3://bucket?region=us-east-1", time_limit=20)
        silent.accept()
        assert api.pcaps(rest="/" + capture.result["id"]).result["status"] == "conversion_running"
        assert api.stop() == 0
